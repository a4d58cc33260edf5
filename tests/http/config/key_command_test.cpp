#include "http/config/key_command.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/auth/digests.hpp"
#include "http/config/command_line.hpp"
#include "http/config/config_file.hpp"
#include "http/keys/api_key.hpp"

namespace herald {
namespace {

using arguments = std::vector<std::string_view>;

std::string refusal_of_key(const arguments& given) {
  const auto made = make_key(given);
  const auto* refused = std::get_if<key_refusal>(&made);
  return refused != nullptr ? refused->why : "";
}

TEST(KeyCommand, PrintsAKeyAndWhatTheSettingsSayOfIt) {
  const auto made = make_key(arguments{
    "shop", "--scope", "events:publish,tasks:start", "--topic=orders/*", "--topic", "news",
    "--task", "report", "--publishes-per-s", "10"});
  ASSERT_TRUE(std::holds_alternative<made_key>(made)) << std::get<key_refusal>(made).why;
  const auto text = std::get<made_key>(made).text;
  const auto end = text.find('\n');
  const auto key = text.substr(0, end);
  EXPECT_TRUE(is_api_key(key)) << key;
  const auto line = text.substr(end + 1);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  config c;
  ASSERT_EQ(apply_config_file(c, R"({"api": {"keys": [)" + line + "]}}"), std::nullopt) << line;
  ASSERT_EQ(c.api.keys.size(), 1u);
  EXPECT_EQ(c.api.keys[0].name, "shop");
  EXPECT_EQ(c.api.keys[0].sha256, hex_of(sha256_of(key)));
  EXPECT_EQ(
    c.api.keys[0].scopes.names(), (std::vector<std::string>{"events:publish", "tasks:start"}));
  EXPECT_EQ(c.api.keys[0].topics, (std::vector<std::string>{"orders/*", "news"}));
  EXPECT_EQ(c.api.keys[0].tasks, std::vector<std::string>{"report"});
  EXPECT_EQ(c.api.keys[0].rate, (publish_limits{10, 0}));
  EXPECT_EQ(line.find(key), std::string::npos);
}

TEST(KeyCommand, SaysWhatIsWrong) {
  for (const auto& [given, part] : std::vector<std::pair<arguments, std::string>>{
         {{}, "needs a name"},
         {{"--scope", "admin"}, "needs a name"},
         {{"shop"}, "scopes must be given"},
         {{"shop", "--scope"}, "--scope: needs a value"},
         {{"shop", "--scope", "everything"}, "is not a scope"},
         {{"shop", "--scopes", "admin"}, "--scopes is none of --scope"},
         {{"a b", "--scope", "admin"}, "must be a name"},
         {{"shop", "--scope", "admin", "--topic", "a//b"}, "topics"},
         {{"shop", "--scope", "admin", "--publishes-per-s", "many"}, "publishes_per_s"},
       })
    EXPECT_NE(refusal_of_key(given).find(part), std::string::npos)
      << part << " in: " << refusal_of_key(given);
}

TEST(KeyCommand, EndsTheRun) {
  const auto good = load_config(arguments{"key", "shop", "--scope", "admin"}, {});
  ASSERT_TRUE(std::holds_alternative<early_exit>(good));
  EXPECT_EQ(std::get<early_exit>(good).exit_code, 0);
  EXPECT_FALSE(std::get<early_exit>(good).to_stderr);
  const auto bad = load_config(arguments{"key", "shop"}, {});
  EXPECT_EQ(std::get<early_exit>(bad).exit_code, exit_bad_config);
  EXPECT_EQ(std::get<early_exit>(bad).text.find("herald: key: "), 0u);
}

} // namespace
} // namespace herald
