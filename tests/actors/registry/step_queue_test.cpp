#include "actors/registry/step_queue.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace herald {
namespace {

publish_step step(std::uint64_t number) {
  publish_step made;
  made.number = number;
  return made;
}

step_queue::item keyed(claim_id claim, std::size_t drafts) {
  step_queue::item made;
  made.drafts.resize(drafts);
  keyed_publish once;
  once.key.claim = claim;
  made.once = std::make_shared<const keyed_publish>(once);
  return made;
}

TEST(StepQueue, WritesOneBatchAtATime) {
  step_queue steps;
  EXPECT_FALSE(steps.is_due());
  steps.add(step(1));
  steps.add(step(2));
  ASSERT_TRUE(steps.is_due());
  EXPECT_EQ(steps.begin({100}).items.size(), 2u);
  EXPECT_TRUE(steps.is_stuck()) << "it is not with the journal yet";
  steps.note_ticket(7);
  EXPECT_FALSE(steps.is_stuck());
  steps.add(step(3));
  EXPECT_FALSE(steps.is_due());
  const auto written = steps.take_written();
  EXPECT_EQ(written.first, event_id{100});
  EXPECT_EQ(written.items.at(1).number, 2u);
  EXPECT_EQ(written.items.at(1).first, event_id{101});
  EXPECT_EQ(written.ids, 2u);
  EXPECT_TRUE(steps.is_due());
  EXPECT_EQ(steps.begin({200}).items.at(0).number, 3u);
}

TEST(StepQueue, WritesABatchAgainThatCouldNotBeWritten) {
  step_queue steps;
  steps.add(step(1));
  steps.begin({100});
  steps.note_ticket(7);
  steps.note_failure(false);
  EXPECT_TRUE(steps.is_stuck());
  EXPECT_EQ(steps.writing().first, event_id{100});
  EXPECT_EQ(steps.writing().items.size(), 1u);
}

TEST(StepQueue, TakesEachStepOnce) {
  step_queue steps;
  steps.add(step(1));
  steps.add(step(1));
  EXPECT_EQ(steps.events(), 1u);
  steps.begin({100});
  steps.add(step(1));
  steps.take_written();
  steps.add(step(1));
  EXPECT_EQ(steps.events(), 0u);
}

TEST(StepQueue, GivesEachEventOfAPublisherItsId) {
  step_queue steps;
  steps.add(keyed(1, 3));
  steps.add(step(1));
  EXPECT_EQ(steps.events(), 4u);
  EXPECT_GT(steps.bytes(), 0u);
  const auto& batch = steps.begin({100});
  EXPECT_EQ(batch.ids, 4u);
  EXPECT_EQ(batch.items.at(1).first, event_id{103});
  EXPECT_EQ(steps.events(), 0u);
  EXPECT_TRUE(steps.has(1));
  EXPECT_FALSE(steps.has(2));
}

TEST(StepQueue, GivesUpWhatPublishersHaveSaidWhereItIsNotInTheFile) {
  step_queue steps;
  steps.add(keyed(1, 2));
  steps.add(step(1));
  steps.begin({100});
  steps.add(keyed(2, 1));
  steps.add(step(2));
  steps.note_failure(false);
  const auto given_up = steps.take_unwritten();
  ASSERT_EQ(given_up.size(), 2u);
  EXPECT_EQ(given_up[1].once->key.claim, 2u);
  ASSERT_EQ(steps.writing().items.size(), 1u);
  EXPECT_EQ(steps.writing().items[0].first, event_id{102}) << "steps keep their ids";
  EXPECT_EQ(steps.events(), 1u);
}

TEST(StepQueue, KeepsWhatMayBeInTheFile) {
  step_queue steps;
  steps.add(keyed(1, 1));
  steps.begin({100});
  steps.add(keyed(2, 1));
  steps.note_failure(true);
  EXPECT_EQ(steps.take_unwritten().size(), 1u) << "what the journal has not seen";
  EXPECT_TRUE(steps.has(1));
  steps.note_failure(false);
  EXPECT_TRUE(steps.take_unwritten().empty()) << "it may still be there from the first time";
  EXPECT_TRUE(steps.is_stuck());
}

TEST(StepQueue, IsEmptyWhereAllWasGivenUp) {
  step_queue steps;
  steps.add(keyed(1, 1));
  steps.begin({100});
  steps.note_failure(false);
  EXPECT_EQ(steps.take_unwritten().size(), 1u);
  EXPECT_FALSE(steps.is_stuck());
  steps.add(step(1));
  EXPECT_TRUE(steps.is_due());
}

} // namespace
} // namespace herald
