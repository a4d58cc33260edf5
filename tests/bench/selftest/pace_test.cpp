#include "tests/bench/swarm/pace.hpp"

#include <gtest/gtest.h>

namespace herald::bench {
namespace {

publish_settings settings(pacing mode) {
  publish_settings wanted;
  wanted.mode = mode;
  wanted.rate = 10;
  wanted.warmup_s = 1;
  wanted.duration_s = 2;
  return wanted;
}

TEST(Pace, IsDueAtFixedTimesHoweverLateItIs) {
  pace rate{settings(pacing::rate), 0};
  EXPECT_EQ(rate.due(), 0u);
  rate.publish(second / 2, 5);
  EXPECT_EQ(rate.due(), second / 10);
  rate.publish(second / 2, 5);
  EXPECT_EQ(rate.due(), second / 5);
}

TEST(Pace, PublishesAllThatWasDueInTime) {
  pace rate{settings(pacing::rate), 0};
  for (int i = 0; i < 30; ++i) {
    EXPECT_FALSE(rate.finished(10 * second));
    rate.publish(10 * second, 5);
  }
  EXPECT_TRUE(rate.finished(10 * second));
}

TEST(Pace, MeasuresOnceItIsWarm) {
  pace flat{settings(pacing::flat), 0};
  EXPECT_FALSE(flat.publish(second / 2, 5));
  EXPECT_TRUE(flat.publish(second, 5));
  EXPECT_FALSE(flat.publish(second + 1, 5));
  EXPECT_FALSE(flat.finished(3 * second - 1));
  EXPECT_TRUE(flat.finished(3 * second));
}

TEST(Pace, EndsAfterSoManyMeasuredEvents) {
  auto wanted = settings(pacing::flat);
  wanted.events = 2;
  pace flat{wanted, 0};
  flat.publish(0, 5);
  flat.publish(second, 5);
  EXPECT_FALSE(flat.finished(second));
  flat.publish(second, 5);
  EXPECT_TRUE(flat.finished(second));
}

TEST(Pace, ClosedWaitsForAllDeliveries) {
  pace closed{settings(pacing::closed), 0};
  EXPECT_EQ(closed.deliveries_wanted(5), 0u);
  closed.publish(0, 5);
  EXPECT_EQ(closed.deliveries_wanted(5), 5u);
  closed.publish(0, 5);
  EXPECT_EQ(closed.deliveries_wanted(4), 10u);
}

TEST(Pace, AWindowLetsSomeEventsBeUnderWay) {
  auto wanted = settings(pacing::flat);
  wanted.batch = 10;
  wanted.window = 30;
  pace flat{wanted, 0};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(flat.deliveries_wanted(5), 0u);
    flat.publish(0, 5);
  }
  EXPECT_EQ(flat.deliveries_wanted(5), 50u);
}

TEST(Pace, WithoutAWindowDoesNotWait) {
  EXPECT_FALSE(pace(settings(pacing::flat), 0).deliveries_wanted(5));
}

TEST(Pace, GoesOnWithoutWhatIsLost) {
  pace closed{settings(pacing::closed), 0};
  closed.publish(second, 5);
  EXPECT_FALSE(closed.out_of_patience(11 * second));
  EXPECT_TRUE(closed.out_of_patience(11 * second + 1));
  closed.give_up(4);
  EXPECT_EQ(closed.deliveries_wanted(5), 4u);
}

} // namespace
} // namespace herald::bench
