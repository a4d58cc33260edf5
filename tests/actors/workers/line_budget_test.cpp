#include "actors/workers/line_budget.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

TEST(LineBudget, LetsAFewLinesPassAtOnce) {
  line_budget budget{10, 50ms};
  const line_budget::time_point start{1h};
  EXPECT_EQ(budget.spend(4, start), start);
  EXPECT_EQ(budget.spend(5, start + 1ms), start + 1ms);
  EXPECT_EQ(budget.spend(1, start + 2ms), start + 50ms) << "no more than may be";
}

TEST(LineBudget, HoldsAFloodUpToTheEndOfThePeriod) {
  line_budget budget{10, 50ms};
  const line_budget::time_point start{1h};
  EXPECT_EQ(budget.spend(1000, start), start + 50ms);
  EXPECT_EQ(budget.spend(1, start + 49ms), start + 50ms);
  EXPECT_EQ(budget.spend(1, start + 50ms), start + 50ms) << "another period";
  EXPECT_EQ(budget.spend(10, start + 60ms), start + 100ms);
}

} // namespace
} // namespace herald
