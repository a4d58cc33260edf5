#include "http/keys/publish_rate.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

const publish_rate::time_point beginning_of_rates{1h};

TEST(PublishRate, LetsASecondsWorthThroughAtOnce) {
  publish_rate rate{{10, 0}};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(rate.wait(beginning_of_rates), 0ms);
    rate.take(beginning_of_rates, 1, 1'000'000);
  }
  EXPECT_EQ(rate.wait(beginning_of_rates), 100ms);
}

TEST(PublishRate, ComesBackWithTime) {
  publish_rate rate{{10, 0}};
  rate.take(beginning_of_rates, 10, 0);
  EXPECT_EQ(rate.wait(beginning_of_rates + 40ms), 60ms);
  EXPECT_EQ(rate.wait(beginning_of_rates + 100ms), 0ms);
  // No more than a second's worth gathers.
  rate.take(beginning_of_rates + 1h, 11, 0);
  EXPECT_EQ(rate.wait(beginning_of_rates + 1h), 200ms);
}

TEST(PublishRate, PaysOffWhatWasMoreThanThereWas) {
  publish_rate rate{{0, 1000}};
  EXPECT_EQ(rate.wait(beginning_of_rates), 0ms);
  rate.take(beginning_of_rates, 1, 5999);
  EXPECT_EQ(rate.wait(beginning_of_rates), 5s);
  EXPECT_EQ(rate.wait(beginning_of_rates + 4s), 1s);
  EXPECT_EQ(rate.wait(beginning_of_rates + 5s), 0ms);
}

TEST(PublishRate, TakesNoHarmFromATimeThatComesLate) {
  publish_rate rate{{10, 0}};
  rate.take(beginning_of_rates, 10, 0);
  EXPECT_EQ(rate.wait(beginning_of_rates - 10s), 100ms);
  EXPECT_EQ(rate.wait(beginning_of_rates + 100ms), 0ms);
}

} // namespace
} // namespace herald
