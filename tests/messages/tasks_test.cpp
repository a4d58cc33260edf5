#include "messages/tasks.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Tasks, HaveStatesWithNames) {
  std::string names;
  for (const auto status :
       {task_status::pending, task_status::running, task_status::completed, task_status::failed,
        task_status::cancelled})
    names.append(to_string(status)).append(is_final(status) ? " is final; " : "; ");
  EXPECT_EQ(names, "pending; running; completed is final; failed is final; cancelled is final; ");
}

TEST(Tasks, HaveEventsWithNames) {
  std::string names;
  for (const auto type :
       {task_event_type::task_started, task_event_type::progress_update,
        task_event_type::task_completed, task_event_type::task_failed,
        task_event_type::task_cancelled})
    names.append(to_string(type)).append(" ");
  EXPECT_EQ(names, "task_started progress_update task_completed task_failed task_cancelled ");
}

} // namespace
} // namespace herald
