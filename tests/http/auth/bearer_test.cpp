#include "http/auth/bearer.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Bearer, IsWhatComesBehindItsScheme) {
  EXPECT_EQ(bearer_token("Bearer abc"), "abc");
  EXPECT_EQ(bearer_token("bEARER   a.b.c"), "a.b.c");
  for (const auto* other :
       {"", "Bearer", "Bearer ", "Bearer   ", "Bearerx abc", "Basic abc", "abc"})
    EXPECT_EQ(bearer_token(other), "") << other;
}

} // namespace
} // namespace herald
