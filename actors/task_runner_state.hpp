#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <caf/response_promise.hpp>

#include "actors/agenda.hpp"
#include "actors/progress_pace.hpp"
#include "actors/task_metrics.hpp"
#include "actors/task_queue.hpp"
#include "actors/task_runner.hpp"
#include "actors/task_table.hpp"

namespace herald {

/// Everything the task runner knows. Shared by the insides that follow each other, dropped when the
/// actor ends, and its workers with it.
class task_runner::state {
public:
  using time_point = std::chrono::steady_clock::time_point;

  state(task_options opts, publisher_actor to, metrics& numbers, task_worker_factory make);
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state();

  /// A random UUID.
  [[nodiscard]] task_id mint_id();
  /// How long a task may run, or an external one be silent; nothing for no limit.
  [[nodiscard]] std::optional<std::chrono::milliseconds> limit_of(const std::string& type) const;
  /// The earliest moment that anything waits for: a time-out, an expiry, progress to be told.
  [[nodiscard]] std::optional<time_point> next_due() const;

  const task_options options;
  const std::vector<std::string> types;
  publisher_actor publisher;
  task_worker_factory make_worker;
  std::vector<task_worker_actor> workers;
  task_table tasks;
  task_queue queue;
  /// When running tasks time out.
  agenda<task_id> deadlines;
  progress_pace pace;
  /// The delayed message that the runner waits for; only the one set last counts.
  std::optional<time_point> alarm;
  std::uint64_t alarm_number = 0;
  bool shutting_down = false;
  std::vector<caf::response_promise> waiting_for_quiet;
  task_metrics counts;

private:
  std::random_device random_;
};

} // namespace herald
