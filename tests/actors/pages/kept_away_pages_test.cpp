#include "actors/pages/kept_away_pages.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

const request_id a{"a"};
const request_id b{"b"};
const request_id c{"c"};
constexpr kept_away_pages::time_point start{};

TEST(KeptAwayPages, AreForgottenWhenTheirTimeIsOver) {
  kept_away_pages pages{10};
  EXPECT_TRUE(pages.keep_away(a, start + 2s));
  EXPECT_TRUE(pages.keep_away(b, start + 1s));
  pages.expire(start + 999ms);
  EXPECT_TRUE(pages.contains(a));
  EXPECT_TRUE(pages.contains(b));
  EXPECT_FALSE(pages.contains(c));
  pages.expire(start + 1s);
  EXPECT_TRUE(pages.contains(a));
  EXPECT_FALSE(pages.contains(b));
  pages.expire(start + 2s);
  EXPECT_EQ(pages.size(), 0u);
  EXPECT_EQ(pages.check(), std::nullopt);
}

TEST(KeptAwayPages, AreKeptAwayForAsLongAsWasSaidLast) {
  kept_away_pages pages{10};
  EXPECT_TRUE(pages.keep_away(a, start + 1s));
  EXPECT_TRUE(pages.keep_away(a, start + 3s));
  EXPECT_TRUE(pages.keep_away(b, start + 3s));
  EXPECT_TRUE(pages.keep_away(b, start + 1s));
  EXPECT_EQ(pages.size(), 2u);
  EXPECT_EQ(pages.check(), std::nullopt);
  pages.expire(start + 2s);
  EXPECT_TRUE(pages.contains(a));
  EXPECT_FALSE(pages.contains(b));
}

TEST(KeptAwayPages, AreNeverMoreThanTheLimit) {
  kept_away_pages pages{2};
  EXPECT_TRUE(pages.keep_away(a, start + 1s));
  EXPECT_TRUE(pages.keep_away(b, start + 2s));
  EXPECT_FALSE(pages.keep_away(c, start + 3s));
  EXPECT_FALSE(pages.contains(c));
  EXPECT_TRUE(pages.keep_away(b, start + 3s)) << "it is one of them";
  pages.expire(start + 1s);
  EXPECT_TRUE(pages.keep_away(c, start + 3s));
  EXPECT_EQ(pages.check(), std::nullopt);
}

} // namespace
} // namespace herald
