#pragma once

#include "messages/events.hpp"
#include "messages/tasks.hpp"

namespace herald {

/// The events that tell of a task, as everyone gets them: a task that has just started, progress
/// made at `at`, and the end of a task that has ended.
[[nodiscard]] draft started_event(const task_view& task);
[[nodiscard]] draft progress_event(const task_view& task, wall_time at);
[[nodiscard]] draft ended_event(const task_view& task);

} // namespace herald
