#include "actors/tasks/progress_pace.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

progress_pace::time_point at(std::chrono::milliseconds time) {
  return progress_pace::time_point{} + time;
}

const task_id a{"a"};
const task_id b{"b"};

TEST(ProgressPace, TellsTheFirstAtOnce) {
  progress_pace pace{100ms};
  EXPECT_TRUE(pace.changed(a, at(0ms)));
  EXPECT_TRUE(pace.changed(b, at(1ms))) << "each task for itself";
  EXPECT_EQ(pace.next(), std::nullopt);
}

TEST(ProgressPace, HoldsBackWhatComesTooSoon) {
  progress_pace pace{100ms};
  (void)pace.changed(a, at(0ms));
  EXPECT_FALSE(pace.changed(a, at(10ms)));
  EXPECT_FALSE(pace.changed(a, at(99ms)));
  EXPECT_EQ(pace.next(), at(100ms));
  EXPECT_EQ(pace.take_due(at(99ms)), std::nullopt);
  EXPECT_EQ(pace.take_due(at(100ms)), a);
  EXPECT_EQ(pace.take_due(at(100ms)), std::nullopt) << "once for all of it";
  EXPECT_FALSE(pace.changed(a, at(199ms))) << "the interval counts from when it was told";
  EXPECT_EQ(pace.next(), at(200ms));
}

TEST(ProgressPace, TellsAtOnceWhatComesAfterTheInterval) {
  progress_pace pace{100ms};
  (void)pace.changed(a, at(0ms));
  EXPECT_TRUE(pace.changed(a, at(100ms)));
  (void)pace.changed(a, at(150ms));
  EXPECT_TRUE(pace.changed(a, at(250ms))) << "the timer is late";
  EXPECT_EQ(pace.next(), std::nullopt) << "and has nothing to tell any more";
}

TEST(ProgressPace, KnowsWhatIsStillToBeToldAtTheEnd) {
  progress_pace pace{100ms};
  EXPECT_FALSE(pace.task_ended(a)) << "it never made progress";
  (void)pace.changed(a, at(0ms));
  EXPECT_FALSE(pace.task_ended(a)) << "all of it was told";
  EXPECT_TRUE(pace.changed(a, at(0ms))) << "forgotten";
  (void)pace.changed(a, at(10ms));
  EXPECT_TRUE(pace.task_ended(a));
  EXPECT_EQ(pace.next(), std::nullopt);
}

} // namespace
} // namespace herald
