#include "actors/system/secret_source.hpp"

#include <bitset>
#include <set>

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(SecretSource, GivesEachNumberOnce) {
  secret_source one;
  secret_source other;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(seen.insert(one()).second);
    EXPECT_TRUE(seen.insert(other()).second);
  }
  EXPECT_FALSE(seen.contains(0)) << "a place that was given out already";
}

TEST(SecretSource, UsesAllBits) {
  secret_source secrets;
  std::uint64_t ones = 0;
  std::uint64_t zeros = 0;
  for (int i = 0; i < 200; ++i) {
    const auto secret = secrets();
    ones |= secret;
    zeros |= ~secret;
  }
  EXPECT_TRUE(std::bitset<64>{ones}.all());
  EXPECT_TRUE(std::bitset<64>{zeros}.all());
}

} // namespace
} // namespace herald
