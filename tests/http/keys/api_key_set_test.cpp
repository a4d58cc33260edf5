#include "http/keys/api_key_set.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

/// A key, and what the settings say of it.
struct owned_key {
  explicit owned_key(const std::string& name) : text(new_api_key()) {
    entry.name = name;
    entry.sha256 = hex_of(sha256_of(text));
    entry.scopes.add(scope::events_publish);
  }

  std::string text;
  api_key entry;
};

TEST(ApiKeySet, FindsWhoseAKeyIs) {
  const owned_key shop{"shop"};
  const owned_key ops{"ops"};
  const api_key_set keys{{shop.entry, ops.entry}, {}};
  ASSERT_TRUE(keys.find(shop.text));
  EXPECT_EQ(keys.find(shop.text)->key.name, "shop");
  EXPECT_EQ(keys.find(ops.text)->key.name, "ops");
  EXPECT_FALSE(keys.empty());
}

TEST(ApiKeySet, FindsNobodyForAnythingElse) {
  const owned_key shop{"shop"};
  const api_key_set keys{{shop.entry}, {}};
  auto other = shop.text;
  other.back() = other.back() == 'A' ? 'B' : 'A';
  for (const auto& text : {std::string{}, other, shop.entry.sha256, new_api_key(), shop.text + " "})
    EXPECT_FALSE(keys.find(text)) << text;
  EXPECT_TRUE(api_key_set{}.empty());
  EXPECT_FALSE(api_key_set{}.find(shop.text));
}

TEST(ApiKeySet, KnowsTwoKeysOfOneNameWhileOneTakesTheOthersPlace) {
  const owned_key old_key{"shop"};
  const owned_key new_key{"shop"};
  const api_key_set keys{{old_key.entry, new_key.entry}, {100, 0}};
  ASSERT_TRUE(keys.find(old_key.text));
  ASSERT_TRUE(keys.find(new_key.text));
  EXPECT_EQ(keys.find(old_key.text)->rate, keys.find(new_key.text)->rate);
}

TEST(ApiKeySet, GivesKeysWithoutARateThatOfAll) {
  owned_key plain{"plain"};
  owned_key own{"own"};
  own.entry.rate = publish_limits{5, 0};
  owned_key free{"free"};
  free.entry.rate = publish_limits{};
  const api_key_set keys{{plain.entry, own.entry, free.entry}, {7, 70}};
  EXPECT_EQ(keys.find(plain.text)->rate->limits(), (publish_limits{7, 70}));
  EXPECT_EQ(keys.find(own.text)->rate->limits(), (publish_limits{5, 0}));
  EXPECT_EQ(keys.find(free.text)->rate, nullptr);
}

TEST(ApiKeySet, LeavesARateThatStaysWhatIsLeftOfIt) {
  const owned_key shop{"shop"};
  const publish_rate::time_point now{1h};
  const api_key_set before{{shop.entry}, {5, 0}};
  before.find(shop.text)->published(now, 100, 0);
  const api_key_set same{{shop.entry}, {5, 0}, before};
  EXPECT_GT(same.find(shop.text)->rate->wait(now), 0ms);
  const api_key_set other{{shop.entry}, {6, 0}, before};
  EXPECT_EQ(other.find(shop.text)->rate->wait(now), 0ms);
}

} // namespace
} // namespace herald
