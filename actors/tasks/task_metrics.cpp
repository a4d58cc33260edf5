#include "actors/tasks/task_metrics.hpp"

namespace herald {

namespace {

prometheus::Counter& refused(metrics& numbers, const char* limit) {
  return numbers.counter(
    "herald_tasks_refused_total", "Tasks refused because a limit was reached.", {{"limit", limit}});
}

prometheus::Counter& executions(metrics& numbers, const std::string& type, task_status status) {
  return numbers.counter(
    "task_executions_total", "Tasks that have ended.",
    {{"type", type}, {"status", std::string{to_string(status)}}});
}

} // namespace

task_metrics::task_metrics(const task_options& options, metrics& numbers)
  : refused_pending(refused(numbers, "pending")),
    refused_external(refused(numbers, "external")),
    active_(numbers.gauge("herald_tasks_active", "Tasks that run.")),
    pending_(numbers.gauge("herald_tasks_pending", "Tasks that wait for a worker.")),
    kept_(numbers.gauge("herald_tasks_kept", "Tasks that can be asked for, ended ones included.")),
    ended_bytes_(numbers.gauge("herald_tasks_ended_bytes", "Bytes of ended tasks.")),
    evicted_(numbers.counter(
      "herald_tasks_evicted_total", "Ended tasks forgotten before their time, to make room.")) {
  for (const auto& type : task_types(options))
    types_[type] = {
      &executions(numbers, type, task_status::completed),
      &executions(numbers, type, task_status::failed),
      &executions(numbers, type, task_status::cancelled),
      &numbers.duration("task_duration_seconds", "From start to end.", {{"type", type}})};
}

void task_metrics::count_end(
  const std::string& type, task_status status,
  std::optional<std::chrono::steady_clock::duration> ran) {
  const auto found = types_.find(type);
  if (found == types_.end())
    return;
  const auto& numbers = found->second;
  if (status == task_status::completed)
    numbers.completed->Increment();
  else if (status == task_status::failed)
    numbers.failed->Increment();
  else
    numbers.cancelled->Increment();
  if (ran)
    numbers.duration->Observe(std::chrono::duration<double>(*ran).count());
}

void task_metrics::show(const task_table& tasks) {
  active_.Set(static_cast<double>(tasks.running()));
  pending_.Set(static_cast<double>(tasks.pending()));
  kept_.Set(static_cast<double>(tasks.size()));
  ended_bytes_.Set(static_cast<double>(tasks.ended_bytes()));
  evicted_.Increment(static_cast<double>(tasks.evicted() - evicted_before_));
  evicted_before_ = tasks.evicted();
}

} // namespace herald
