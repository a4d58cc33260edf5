#include "http/config/config_keys.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/config/config_file.hpp"

namespace herald {
namespace {

const std::string a_digest = std::string(64, 'a');

/// A file with these keys.
std::string file_with_keys(const std::string& list) {
  return R"({"api": {"keys": )" + list + "}}";
}

std::string complaint_about_keys(const std::string& list) {
  config c;
  return apply_config_file(c, file_with_keys(list)).value_or("");
}

std::string key_with(const std::string& more, const std::string& digest = a_digest) {
  return R"({"name": "shop", "sha256": ")" + digest + R"(", "scopes": ["events:publish"])"
         + (more.empty() ? "" : ", " + more) + "}";
}

TEST(ConfigKeys, AreReadWithAllThatTheySay) {
  config c;
  ASSERT_EQ(
    apply_config_file(
      c, file_with_keys(
           R"([{
      "name": "shop", "sha256": ")"
           + std::string(64, 'A') + R"(",
      "scopes": ["events:publish", "tasks:start"], "topics": ["orders/*"], "subjects": ["team-*"],
      "roles": ["staff"], "request_ids": ["page-1"], "tasks": ["report"],
      "rate": {"publishes_per_s": 10, "publish_bytes_per_s": 20}}])")),
    std::nullopt);
  ASSERT_EQ(c.api.keys.size(), 1u);
  const auto& key = c.api.keys[0];
  EXPECT_EQ(key.name, "shop");
  EXPECT_EQ(key.sha256, a_digest);
  EXPECT_TRUE(key.scopes.has(scope::tasks_start));
  EXPECT_FALSE(key.scopes.has(scope::tasks_read));
  EXPECT_EQ(key.topics, std::vector<std::string>{"orders/*"});
  EXPECT_EQ(key.subjects, std::vector<std::string>{"team-*"});
  EXPECT_EQ(key.roles, std::vector<std::string>{"staff"});
  EXPECT_EQ(key.request_ids, std::vector<std::string>{"page-1"});
  EXPECT_EQ(key.tasks, std::vector<std::string>{"report"});
  EXPECT_EQ(key.rate, (publish_limits{10, 20}));
  // What is printed says the same.
  config again;
  ASSERT_EQ(apply_config_file(again, print_config(c)), std::nullopt);
  EXPECT_EQ(again.api.keys, c.api.keys);
}

TEST(ConfigKeys, AreRefusedByNameAndRule) {
  for (const auto& [list, parts] : std::vector<std::pair<std::string, std::vector<std::string>>>{
         {"{}", {"api.keys must be a list"}},
         {"[1]", {"api.keys[0] must be an object"}},
         {R"([{"name": "x"}])", {"api.keys[0].sha256 must be given"}},
         {R"([{"sha256": ")" + a_digest + R"(", "scopes": ["admin"]}])",
          {"api.keys[0].name must be given"}},
         {R"([{"name": "x", "sha256": ")" + a_digest + R"("}])",
          {"api.keys[0].scopes must be given"}},
         {R"([{"name": "a b"}])", {"api.keys[0].name must be a name of 1 to 64 letters"}},
         {R"([{"name": ""}])", {"api.keys[0].name must be a name"}},
         {R"([{"name": 1}])", {"api.keys[0].name must be a name"}},
         {R"([{"scopes": []}])", {"api.keys[0].scopes must be a list of scopes"}},
         {R"([{"scopes": "admin"}])", {"api.keys[0].scopes must be a list of scopes"}},
         {R"([{"scopes": ["event:publish"]}])",
          {"api.keys[0].scopes", "\"event:publish\" is not a scope", "nearest is events:publish"}},
         {"[" + key_with(R"("topics": ["a//b"])") + "]", {"api.keys[0].topics", "a//b"}},
         {"[" + key_with(R"("topics": "a")") + "]", {"api.keys[0].topics must be a list"}},
         {"[" + key_with(R"("subjects": [""])") + "]", {"api.keys[0].subjects must be"}},
         {"[" + key_with(R"("tasks": ["a b"])") + "]", {"api.keys[0].tasks must be a name"}},
         {"[" + key_with(R"("rate": 5)") + "]", {"api.keys[0].rate must be an object"}},
         {"[" + key_with(R"("rate": {"publishes_per_s": -1})") + "]",
          {"api.keys[0].rate.publishes_per_s must be a whole number"}},
         {"[" + key_with(R"("rate": {"events": 1})") + "]",
          {"api.keys[0].rate.events is not a field of a rate"}},
         {"[" + key_with(R"("topic": ["a"])") + "]", {"api.keys[0].topic", "nearest is topics"}},
         {"[" + key_with("") + "," + key_with("") + "]", {"the key of shop is there twice"}},
         {"[" + key_with("") + "," + key_with(R"("topics": ["a"])", std::string(64, 'b')) + "]",
          {"keys of the name shop must differ in sha256 alone"}},
       }) {
    const auto complaint = complaint_about_keys(list);
    for (const auto& part : parts)
      EXPECT_NE(complaint.find(part), std::string::npos) << part << " in: " << complaint;
  }
}

TEST(ConfigKeys, AreNotShownWhereTheyStandForTheirDigest) {
  const auto key = new_api_key();
  const auto complaint = complaint_about_keys("[" + key_with("", key) + "]");
  EXPECT_NE(complaint.find("api.keys[0].sha256"), std::string::npos) << complaint;
  EXPECT_EQ(complaint.find(key), std::string::npos) << complaint;
}

TEST(ConfigKeys, MayBeTwoOfOneName) {
  EXPECT_EQ(
    complaint_about_keys("[" + key_with("") + "," + key_with("", std::string(64, 'b')) + "]"), "");
}

TEST(ConfigKeys, TakeThePlaceOfThoseOfAnEarlierFile) {
  config c;
  ASSERT_EQ(apply_config_file(c, file_with_keys("[" + key_with("") + "]")), std::nullopt);
  ASSERT_EQ(apply_config_file(c, file_with_keys("[]")), std::nullopt);
  EXPECT_TRUE(c.api.keys.empty());
}

} // namespace
} // namespace herald
