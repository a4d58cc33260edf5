#include "actors/tasks/silent_steps.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using lines = std::vector<std::string>;

/// "written a", "failed a disk"
lines answer(silent_steps& steps, const entries_recorded& fact) {
  lines said;
  steps.journal_answered(
    fact, [&](const task_id& id) { said.push_back("written " + id.str()); },
    [&](const task_id& id, const failure& why) {
      said.push_back("failed " + id.str() + " " + why.detail);
    });
  return said;
}

const failure none{ec::none, {}, {}};
const failure disk{ec::storage_full, "disk", {}};

TEST(SilentSteps, AreWrittenWithTheLastOneOfTheirTask) {
  silent_steps steps;
  steps.recorded(task_id{"a"}, 1);
  steps.recorded(task_id{"b"}, 2);
  steps.recorded(task_id{"a"}, 4);
  EXPECT_EQ(answer(steps, {1, 3, none}), (lines{"written b"}));
  EXPECT_EQ(answer(steps, {4, 4, none}), (lines{"written a"}));
  EXPECT_EQ(answer(steps, {5, 9, none}), lines{});
}

TEST(SilentSteps, AreRecordedAgainWhereTheyWereNotWritten) {
  silent_steps steps;
  steps.recorded(task_id{"a"}, 1);
  steps.recorded(task_id{"b"}, 2);
  EXPECT_EQ(
    answer(steps, {2, 2, disk}), (lines{"failed a the journal has failed", "failed b disk"}));
  EXPECT_EQ(steps.failed().size(), 2u);
  EXPECT_EQ(answer(steps, {3, 3, none}), lines{}) << "of others";
  steps.recorded(task_id{"a"}, 4);
  EXPECT_EQ(steps.failed(), (std::vector{task_id{"b"}}));
  EXPECT_EQ(answer(steps, {4, 4, none}), (lines{"written a"}));
}

TEST(SilentSteps, StayWhereOneIsRecordedWhileTheyAreAnsweredFor) {
  silent_steps steps;
  steps.recorded(task_id{"a"}, 1);
  steps.journal_answered(
    {1, 1, none}, [&](const task_id& id) { steps.recorded(id, 2); },
    [](const task_id&, const failure&) { FAIL(); });
  EXPECT_EQ(answer(steps, {2, 2, none}), (lines{"written a"}));
}

} // namespace
} // namespace herald
