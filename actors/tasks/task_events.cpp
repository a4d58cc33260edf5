#include "actors/tasks/task_events.hpp"

#include <string>
#include <utility>

#include "messages/wire/task_json.hpp"

namespace herald {

namespace {

draft event_of(const task_view& task, task_event_type type, wall_time at, std::string data) {
  return {
    "task_event", to_json(task_event{type, task.id, at, std::move(data)}), {}, service_type::task};
}

} // namespace

draft started_event(const task_view& task) {
  return event_of(
    task, task_event_type::task_started, task.start_time.value_or(wall_time{}), "null");
}

draft progress_event(const task_view& task, wall_time at) {
  return event_of(task, task_event_type::progress_update, at, progress_json(task));
}

draft ended_event(const task_view& task) {
  const auto at = task.end_time.value_or(wall_time{});
  switch (task.status) {
  case task_status::completed:
    return event_of(task, task_event_type::task_completed, at, task.result_json);
  case task_status::failed:
    return event_of(task, task_event_type::task_failed, at, error_json(task.error));
  default:
    return event_of(task, task_event_type::task_cancelled, at, "null");
  }
}

} // namespace herald
