#include "actors/registry/step_queue.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

publish_step step(std::uint64_t number) {
  publish_step made;
  made.number = number;
  return made;
}

TEST(StepQueue, WritesOneBatchAtATime) {
  step_queue steps;
  EXPECT_FALSE(steps.is_due());
  steps.add(step(1));
  steps.add(step(2));
  ASSERT_TRUE(steps.is_due());
  EXPECT_EQ(steps.begin({100}).steps.size(), 2u);
  EXPECT_TRUE(steps.is_stuck()) << "it is not with the journal yet";
  steps.note_ticket(7);
  EXPECT_FALSE(steps.is_stuck());
  steps.add(step(3));
  EXPECT_FALSE(steps.is_due());
  const auto written = steps.take_written();
  EXPECT_EQ(written.first, event_id{100});
  EXPECT_EQ(written.steps.at(1).number, 2u);
  EXPECT_TRUE(steps.is_due());
  EXPECT_EQ(steps.begin({200}).steps.at(0).number, 3u);
}

TEST(StepQueue, WritesABatchAgainThatCouldNotBeWritten) {
  step_queue steps;
  steps.add(step(1));
  steps.begin({100});
  steps.note_ticket(7);
  steps.note_ticket(0);
  EXPECT_TRUE(steps.is_stuck());
  EXPECT_EQ(steps.writing().first, event_id{100});
  EXPECT_EQ(steps.writing().steps.size(), 1u);
}

TEST(StepQueue, TakesEachStepOnce) {
  step_queue steps;
  steps.add(step(1));
  steps.add(step(1));
  EXPECT_EQ(steps.waiting(), 1u);
  steps.begin({100});
  steps.add(step(1));
  steps.take_written();
  steps.add(step(1));
  EXPECT_EQ(steps.waiting(), 0u);
}

} // namespace
} // namespace herald
