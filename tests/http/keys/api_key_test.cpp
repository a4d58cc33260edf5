#include "http/keys/api_key.hpp"

#include <set>

#include <gtest/gtest.h>

namespace herald {
namespace {

audience_ptr audience_for(audience who) {
  return std::make_shared<const audience>(std::move(who));
}

bool may_publish(const api_key& key, const audience_ptr& who) {
  return !publish_violation(key, who);
}

TEST(ApiKey, IsNewEachTimeAndHasItsForm) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto key = new_api_key();
    EXPECT_TRUE(is_api_key(key)) << key;
    EXPECT_TRUE(seen.insert(key).second);
  }
}

TEST(ApiKey, HasNoOtherForm) {
  const auto key = new_api_key();
  for (const auto& text :
       {std::string{}, key + "A", key.substr(0, key.size() - 1), "Herald_" + key.substr(7),
        key.substr(0, 49) + "=", "herald_" + std::string(43, ' ')})
    EXPECT_FALSE(is_api_key(text)) << text;
}

TEST(ApiKey, MayPublishToAllWhereItIsNotBound) {
  const api_key key;
  EXPECT_TRUE(may_publish(key, nullptr));
  EXPECT_TRUE(may_publish(key, audience_for({request_id{"p"}, "s", "r", {"t"}, {}})));
}

TEST(ApiKey, MayPublishToWhatItsPatternsCoverAndToNothingElse) {
  api_key key;
  key.topics = {"orders/*", "news"};
  EXPECT_TRUE(may_publish(key, audience_for({{}, {}, {}, {"orders/42"}, {}})));
  EXPECT_TRUE(may_publish(key, audience_for({{}, {}, {}, {"news", "orders/42/status"}, {}})));
  EXPECT_EQ(publish_violation(key, nullptr), "this key may not publish to everyone");
  EXPECT_FALSE(may_publish(key, audience_for({{}, {}, {}, {}, {request_id{"x"}}})));
  EXPECT_EQ(
    publish_violation(key, audience_for({{}, {}, {}, {"news", "orders"}, {}})),
    "this key may not publish to topic orders");
  // One kind of list covers no other kind.
  EXPECT_EQ(
    publish_violation(key, audience_for({request_id{"news"}, {}, {}, {"news"}, {}})),
    "this key may not publish to request_id news");
  EXPECT_FALSE(may_publish(key, audience_for({{}, "news", {}, {"news"}, {}})));
  EXPECT_FALSE(may_publish(key, audience_for({{}, {}, "news", {"news"}, {}})));
}

TEST(ApiKey, NamesSubjectsRolesAndPagesByTheirBeginnings) {
  api_key key;
  key.subjects = {"team-*", "ann"};
  key.roles = {"*"};
  key.request_ids = {"shop-*"};
  EXPECT_TRUE(may_publish(key, audience_for({request_id{"shop-1"}, "team-x", "any", {}, {}})));
  EXPECT_TRUE(may_publish(key, audience_for({{}, "ann", {}, {}, {}})));
  EXPECT_FALSE(may_publish(key, audience_for({{}, "anna", {}, {}, {}})));
  EXPECT_FALSE(may_publish(key, audience_for({{}, "team", {}, {}, {}})));
  EXPECT_FALSE(may_publish(key, audience_for({request_id{"sho"}, {}, {}, {}, {}})));
  EXPECT_FALSE(may_publish(key, audience_for({{}, {}, {}, {"t"}, {}})));
}

} // namespace
} // namespace herald
