#include "actors/tasks/unwritten_steps.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

task_view task(task_status status, bool begun = true, std::uint64_t seq = 7) {
  task_view view;
  view.id = task_id{"a"};
  view.status = status;
  view.seq = seq;
  if (begun)
    view.start_time = wall_time{std::chrono::seconds{1}};
  if (is_final(status)) {
    view.end_time = wall_time{std::chrono::seconds{2}};
    view.result_json = "1";
    view.error = "e";
  }
  return view;
}

TEST(UnwrittenSteps, ShowATaskAsItWasLastWritten) {
  unwritten_steps steps;
  const task_id a{"a"};
  EXPECT_EQ(steps.shown(a), nullptr);
  const auto begun = steps.add(task(task_status::running, true, 1), task_event_type::task_started);
  ASSERT_NE(steps.shown(a), nullptr);
  EXPECT_EQ(steps.shown(a)->status, task_status::pending);
  EXPECT_EQ(steps.shown(a)->start_time, std::nullopt);
  EXPECT_EQ(steps.shown(a)->seq, 0u);
  const auto ended =
    steps.add(task(task_status::completed, true, 2), task_event_type::task_completed);
  EXPECT_GT(ended, begun);
  EXPECT_EQ(steps.shown(a)->status, task_status::pending);
  EXPECT_EQ(steps.first_of(a), begun);
  EXPECT_EQ(steps.last_of(a), ended);
  steps.written(begun);
  EXPECT_EQ(steps.find(begun), nullptr);
  ASSERT_NE(steps.shown(a), nullptr);
  EXPECT_EQ(steps.shown(a)->status, task_status::running);
  EXPECT_EQ(steps.shown(a)->seq, 1u);
  EXPECT_EQ(steps.find(ended)->result_json, "1");
  EXPECT_FALSE(steps.empty());
  steps.written(ended);
  EXPECT_EQ(steps.shown(a), nullptr);
  EXPECT_EQ(steps.last_of(a), std::nullopt);
  EXPECT_TRUE(steps.empty());
}

TEST(UnwrittenSteps, ShowATaskThatHasEndedAsItRanOrWaited) {
  unwritten_steps steps;
  steps.add(task(task_status::failed), task_event_type::task_failed);
  const auto* ran = steps.shown(task_id{"a"});
  EXPECT_EQ(ran->status, task_status::running);
  EXPECT_TRUE(ran->start_time);
  EXPECT_EQ(ran->end_time, std::nullopt);
  EXPECT_EQ(ran->result_json, "");
  EXPECT_EQ(ran->error, "");
  EXPECT_EQ(ran->seq, 6u);
  unwritten_steps others;
  others.add(task(task_status::cancelled, false), task_event_type::task_cancelled);
  EXPECT_EQ(others.shown(task_id{"a"})->status, task_status::pending);
}

TEST(UnwrittenSteps, ShowProgressAtOnceButNotItsSeq) {
  unwritten_steps steps;
  const task_id a{"a"};
  auto now = task(task_status::running, true, 2);
  now.progress = 0.25;
  const auto first = steps.add(now, task_event_type::progress_update);
  EXPECT_EQ(steps.shown(a)->status, task_status::running) << "it has not just begun";
  EXPECT_EQ(steps.shown(a)->progress, 0.25);
  EXPECT_EQ(steps.shown(a)->seq, 1u) << "or a page that asks ignored what it is told of next";
  now.progress = 0.5;
  now.progress_text = "half";
  steps.progressed(now);
  EXPECT_EQ(steps.shown(a)->progress, 0.5);
  auto ended = task(task_status::completed, true, 3);
  ended.progress = 0.5;
  steps.add(ended, task_event_type::task_completed);
  steps.written(first);
  EXPECT_EQ(steps.shown(a)->progress, 0.5) << "never falls";
  EXPECT_EQ(steps.shown(a)->progress_text, "half");
  EXPECT_EQ(steps.shown(a)->seq, 2u);
}

TEST(UnwrittenSteps, CountNoEventsOfATaskThatNobodyIsToldOf) {
  unwritten_steps steps;
  auto silent = task(task_status::running, true, 0);
  silent.told = false;
  steps.add(silent, task_event_type::task_started);
  EXPECT_EQ(steps.shown(silent.id)->seq, 0u);
}

} // namespace
} // namespace herald
