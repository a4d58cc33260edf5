#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <caf/response_promise.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/supervision/pending_answers.hpp"
#include "actors/tasks/deadline_queue.hpp"
#include "actors/tasks/progress_pace.hpp"
#include "actors/tasks/silent_steps.hpp"
#include "actors/tasks/task_metrics.hpp"
#include "actors/tasks/task_queue.hpp"
#include "actors/tasks/task_runner.hpp"
#include "actors/tasks/task_table.hpp"
#include "actors/tasks/unwritten_steps.hpp"

namespace herald {

/// Everything the task runner knows. Shared by the insides that follow each other, dropped when the
/// actor ends, and its workers with it.
class task_runner::state {
public:
  using time_point = std::chrono::steady_clock::time_point;

  state(
    task_options opts, publisher_actor to, metrics& numbers, task_worker_factory make,
    journal_actor journal, recorder_actor recorder, watcher_actor watcher);
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state();

  /// Before anything else: takes over what a former life has left.
  void restore(std::vector<task_kept>&& tasks, const task_moment& now);

  /// Who is told of a task that is started, as the settings say.
  [[nodiscard]] task_table::listeners listeners_of(const start_task& command) const;
  /// A random UUID.
  [[nodiscard]] task_id mint_id();
  /// How long a task may run, or an external one be silent; nothing for no limit.
  [[nodiscard]] std::optional<std::chrono::milliseconds> limit_of(const std::string& type) const;
  /// The earliest moment that anything waits for: a time-out, an expiry, progress to be told.
  [[nodiscard]] std::optional<time_point> next_due() const;

  const task_options options;
  const std::vector<std::string> types;
  publisher_actor publisher;
  const journal_actor journal;
  const recorder_actor recorder;
  const watcher_actor watcher;
  task_worker_factory make_worker;
  std::vector<task_worker_actor> workers;
  task_table tasks;
  task_queue queue;
  /// When running tasks time out.
  deadline_queue<task_id> deadlines;
  progress_pace pace;
  /// The delayed message that the runner waits for; only the one set last counts.
  std::optional<time_point> alarm;
  std::uint64_t alarm_number = 0;
  bool shutting_down = false;
  std::vector<caf::response_promise> waiting_for_quiet;

  /// A task that is to be started once it is written; whoever wants it waits.
  struct unwritten_task : pending_answer<task_view> {
    run_task order = {};
  };
  pending_answers<unwritten_task> unwritten;
  /// Steps of tasks that are not written yet, and who waits for them.
  unwritten_steps steps;
  silent_steps silent;
  /// When those that could not be written are recorded again.
  std::optional<time_point> silent_again;
  /// Tasks that have made progress while a step of theirs was not written; it is told after that.
  std::set<task_id> untold_progress;
  std::multimap<std::uint64_t, caf::typed_response_promise<task_view>> waiting_for_steps;
  /// Tasks that have a worker, and are not given to it before their beginning is written.
  std::map<task_id, run_task> not_handed_over;
  ticket_id last_ticket = 0;
  /// Tasks of a former life that have not ended; taken up by the first inside.
  std::vector<run_task> former;
  task_metrics counts;

private:
  std::random_device random_;
};

} // namespace herald
