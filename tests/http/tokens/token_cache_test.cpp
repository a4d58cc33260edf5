#include "http/tokens/token_cache.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

const wall_time start{1'800'000'000s};

token_digest token(std::string_view text) {
  return sha256_of(text);
}

stream_grant grant_until(wall_time end) {
  stream_grant grant;
  grant.subject = "ann";
  grant.expires_at = end;
  return grant;
}

access_right right_until(wall_time end, const std::string& subject = "ann") {
  auto grant = grant_until(end);
  grant.subject = subject;
  return right_of(std::move(grant), {});
}

TEST(TokenCache, KnowsATokenUntilItEnds) {
  token_cache cache{10, 100'000};
  EXPECT_EQ(cache.find(token("a"), start), nullptr);
  const auto right = right_until(start + 10s);
  cache.put(token("a"), right, start);
  ASSERT_NE(cache.find(token("a"), start), nullptr);
  EXPECT_EQ(cache.find(token("a"), start + 9s)->by, right.by);
  EXPECT_EQ(cache.find(token("b"), start), nullptr);
  EXPECT_EQ(cache.find(token("a"), start + 10s), nullptr);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(TokenCache, ForgetsATokenWhoseEndAClockHasSteppedOver) {
  token_cache cache{10, 100'000};
  cache.put(token("a"), right_until(start + 10s), start);
  EXPECT_EQ(cache.find(token("a"), start + 24h), nullptr);
  // Back again: it is verified anew.
  EXPECT_EQ(cache.find(token("a"), start + 1s), nullptr);
  cache.put(token("a"), right_until(start + 10s), start);
  EXPECT_EQ(cache.find(token("a"), start - 1s), nullptr);
}

TEST(TokenCache, KeepsNoTokenThatDoesNotEnd) {
  token_cache cache{10, 100'000};
  cache.put(token("a"), right_of({}, {}), start);
  EXPECT_EQ(cache.find(token("a"), start), nullptr);
}

TEST(TokenCache, LetsTheTokenGoThatNobodyHasAskedForForLongest) {
  token_cache cache{2, 100'000};
  cache.put(token("a"), right_until(start + 10s, "a"), start);
  cache.put(token("b"), right_until(start + 10s, "b"), start);
  ASSERT_NE(cache.find(token("a"), start), nullptr);
  cache.put(token("c"), right_until(start + 10s, "c"), start);
  EXPECT_NE(cache.find(token("a"), start), nullptr);
  EXPECT_EQ(cache.find(token("b"), start), nullptr);
  EXPECT_EQ(cache.find(token("c"), start)->by->subject, "c");
  EXPECT_EQ(cache.evicted(), 1u);
}

TEST(TokenCache, IsBoundedInBytesOfAllThatIsGranted) {
  token_cache measure{1000, 1'000'000};
  measure.put(token("a"), right_until(start + 10s), start);
  const auto small = measure.bytes();
  EXPECT_GE(small, sizeof(access_right) + sizeof(credential) + sizeof(reach) + 32);
  auto large = grant_until(start + 10s);
  large.subject = std::string(200, 's');
  large.roles.assign(10, std::string(100, 'r'));
  large.topics.assign(10, std::string(100, 't'));
  measure.put(token("b"), right_of(large, {}), start);
  EXPECT_GE(measure.bytes() - small, small + 200 + 2 * 10 * (100 + sizeof(std::string)));

  token_cache cache{1000, 10 * small};
  for (int i = 0; i != 100; ++i)
    cache.put(token(std::to_string(i)), right_until(start + 10s), start);
  EXPECT_EQ(cache.size(), 10u);
  EXPECT_LE(cache.bytes(), 10 * small);
  EXPECT_EQ(cache.evicted(), 90u);
  EXPECT_EQ(cache.find(token("89"), start), nullptr);
  EXPECT_NE(cache.find(token("90"), start), nullptr);
}

TEST(TokenCache, MayBeOff) {
  token_cache none{0, 100'000};
  none.put(token("a"), right_until(start + 10s), start);
  EXPECT_EQ(none.find(token("a"), start), nullptr);
  token_cache no_room{10, 0};
  no_room.put(token("a"), right_until(start + 10s), start);
  EXPECT_EQ(no_room.find(token("a"), start), nullptr);
  EXPECT_EQ(no_room.bytes(), 0u);
}

TEST(TokenCache, CountsATokenOnce) {
  token_cache cache{10, 100'000};
  cache.put(token("a"), right_until(start + 10s), start);
  const auto bytes = cache.bytes();
  cache.put(token("a"), right_until(start + 20s), start);
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(cache.bytes(), bytes);
  EXPECT_NE(cache.find(token("a"), start + 15s), nullptr);
}

TEST(TokenCache, ForgetsAllWhereKeysChange) {
  token_cache cache{10, 100'000};
  cache.put(token("a"), right_until(start + 10s), start);
  cache.clear();
  EXPECT_EQ(cache.find(token("a"), start), nullptr);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
  EXPECT_EQ(cache.evicted(), 0u);
}

} // namespace
} // namespace herald
