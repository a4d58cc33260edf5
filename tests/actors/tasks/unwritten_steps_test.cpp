#include "actors/tasks/unwritten_steps.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

task_view task(task_status status, bool begun = true) {
  task_view view;
  view.id = task_id{"a"};
  view.status = status;
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
  const auto begun = steps.add(task(task_status::running));
  ASSERT_NE(steps.shown(a), nullptr);
  EXPECT_EQ(steps.shown(a)->status, task_status::pending);
  EXPECT_EQ(steps.shown(a)->start_time, std::nullopt);
  const auto ended = steps.add(task(task_status::completed));
  EXPECT_GT(ended, begun);
  EXPECT_EQ(steps.shown(a)->status, task_status::pending);
  EXPECT_EQ(steps.last_of(a), ended);
  steps.written(begun);
  EXPECT_EQ(steps.find(begun), nullptr);
  ASSERT_NE(steps.shown(a), nullptr);
  EXPECT_EQ(steps.shown(a)->status, task_status::running);
  EXPECT_EQ(steps.find(ended)->result_json, "1");
  EXPECT_FALSE(steps.empty());
  steps.written(ended);
  EXPECT_EQ(steps.shown(a), nullptr);
  EXPECT_EQ(steps.last_of(a), std::nullopt);
  EXPECT_TRUE(steps.empty());
}

TEST(UnwrittenSteps, ShowATaskThatHasEndedAsItRanOrWaited) {
  unwritten_steps steps;
  steps.add(task(task_status::failed));
  const auto* ran = steps.shown(task_id{"a"});
  EXPECT_EQ(ran->status, task_status::running);
  EXPECT_TRUE(ran->start_time);
  EXPECT_EQ(ran->end_time, std::nullopt);
  EXPECT_EQ(ran->result_json, "");
  EXPECT_EQ(ran->error, "");
  unwritten_steps others;
  others.add(task(task_status::cancelled, false));
  EXPECT_EQ(others.shown(task_id{"a"})->status, task_status::pending);
}

} // namespace
} // namespace herald
