#include "http/protocol/http_date.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(HttpDate, IsAsTheStandardHasIt) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(HttpDate, IsNow) {
  const auto before = std::time(nullptr);
  const std::string now{http_date_now()};
  bool found = false;
  for (auto moment = before; moment <= std::time(nullptr); ++moment)
    found = found || now == http_date(moment);
  EXPECT_TRUE(found) << now;
}

} // namespace
} // namespace herald
