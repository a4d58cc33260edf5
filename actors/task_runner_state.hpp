#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <caf/response_promise.hpp>

#include "actors/agenda.hpp"
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

  state(task_options opts, publisher_actor to, metrics& numbers, task_worker_factory make)
    : options(std::move(opts)),
      publisher(std::move(to)),
      make_worker(std::move(make)),
      tasks({options.retention, options.max_ended}),
      queue(options.workers),
      counts(options, numbers) {}

  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state();

  /// What is kept of a task only while it runs.
  struct run {
    time_point started;
    std::optional<time_point> last_progress_event;
    /// Progress was reported that no event has told yet.
    bool untold = false;
  };

  /// A delayed message to the runner itself; only the one set last counts.
  struct alarm {
    std::optional<time_point> armed;
    std::uint64_t number = 0;
  };

  [[nodiscard]] task_id mint_id();
  /// How long a task may run, or an external one be silent; nothing for no limit.
  [[nodiscard]] std::optional<std::chrono::milliseconds> limit_of(const std::string& type) const;

  const task_options options;
  publisher_actor publisher;
  task_worker_factory make_worker;
  std::vector<task_worker_actor> workers;
  task_table tasks;
  task_queue queue;
  std::map<task_id, run> runs;
  /// When running tasks time out, and when held-back progress goes out.
  agenda<task_id> deadlines;
  agenda<task_id> progress_due;
  alarm deadline_alarm;
  alarm progress_alarm;
  bool shutting_down = false;
  std::vector<caf::response_promise> waiting_for_quiet;
  task_metrics counts;

private:
  std::random_device random_;
};

} // namespace herald
