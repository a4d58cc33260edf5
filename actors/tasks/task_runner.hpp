#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/supervision/shell.hpp"
#include "actors/tasks/task_options.hpp"
#include "actors/tasks/task_table.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Makes the worker of a number (from 0) that reports to `runner`. The worker says `worker_idle`
/// when it can take its first task.
using task_worker_factory =
  std::function<task_worker_actor(const task_runner_actor& runner, std::size_t number)>;

/// The inside of the task runner: the one owner of the state of all tasks, and the one source of
/// task events, which go to whom the task's audience says, in the order in which things happened.
/// Each has a `seq`, one above that of the event before it. Nothing follows the event that ends a
/// task; what a worker reports later is ignored.
///
/// - A task waits (pending) until a worker is free; tasks of type `external` run at once.
/// - Progress is published at most once per `progress_interval` and task, the latest value wins,
///   and the last one always goes out before the event that ends the task.
/// - A task that runs too long fails with "timed out after N s"; for an external task the time
///   counts from the last report.
/// - With a journal a task is started, and its end by a command or a report answered, once that is
///   written. Each event of a task is written together with the state that it tells of, and told
///   after that: no `seq` is given twice, over a crash neither. Nobody sees the beginning and the
///   end of a task, and no worker gets it, before they are in the file. Tasks that a former life
///   has left waiting are begun anew; those that were at work have failed; external ones go on.
/// - From `begin_shutdown` on there are no new tasks, and those that still wait are cancelled.
class task_runner {
public:
  using interface = task_runner_actor::extend<
    caf::reacts_to<task_timer>, caf::reacts_to<entries_recorded>, caf::reacts_to<step_published>>;
  using shell_type = shell<interface, task_runner>;

  /// Outlives a restart of the inside.
  class state;

  task_runner(self_pointer<interface> self, std::shared_ptr<state> kept);

  static shell_type::behavior_type behavior(shell_type& s);

  result<task_view> start(const start_task& command);
  result<task_view> get(const get_task& query);
  task_page list(const list_tasks& query);
  result<task_view> cancel(const cancel_task& command);
  result<void> remove(const remove_task& command);

  result<task_view> external_progressed(const report_progress& report);
  result<task_view> external_completed(const report_completion& report);
  result<task_view> external_failed(const report_failure& report);

  void progressed(const task_progressed& report);
  void finished(const task_finished& report);
  void idle(const worker_idle& report);

  result<void> shut_down(const begin_shutdown& command);
  result<void> abort_all(const abort_all_tasks& command);
  void timer(const task_timer& due);
  void recorded(const entries_recorded& fact);
  void published(const step_published& fact);

private:
  [[nodiscard]] task_moment now() const;
  /// Refuses with a failure in words, or gives nothing.
  [[nodiscard]] caf::error refusal(const start_task& command);
  [[nodiscard]] caf::error not_external(const task_id& id) const;
  /// The task as it is shown; null for an unknown one.
  [[nodiscard]] const task_view* shown(const task_id& id) const;
  void begin(const task_id& id);
  /// Progress has changed: it is told now, or when it is time.
  void pace_progress(const task_id& id);
  void tell_progress(const task_id& id);
  /// After the table has ended the task: says so. Of a failure pages are told `public_error`, or
  /// all.
  void conclude(const task_id& id, const std::optional<std::string>& public_error = std::nullopt);
  /// The same for a task that has not ended by itself: its worker, if it has one, is to stop.
  void call_off(const task_id& id);
  void time_out(const task_id& id);
  void tell_watcher(const task_view& ended);
  /// From now on: nothing new is taken, and nothing that waits is begun.
  void refuse_work();
  /// Tells of a step of a task whoever is to know: at once, or with a journal once it is written.
  void tell_step(const task_id& id, task_event_type what, wall_time at, std::string data_json);
  /// A task that is in the table begins, or waits for its worker.
  void launch(run_task order);

  // What outlives the process, if there is a journal.
  void take_up_former();
  void record(const task_id& id);
  /// The last step of a task that nobody is told of.
  void record_silently(const task_id& id);
  void record_silent_steps_again();
  void silent_steps_recorded(const entries_recorded& fact);
  void record_forgotten();
  /// Answers with the task as it is now, once it is written so.
  result<task_view> answer_when_written(const task_id& id);
  result<task_view> launch_when_written(run_task order);

  result<void> answer_when_quiet();

  /// After every change: gives out work, sets the alarm and gauges, answers who waits for the end.
  void after_change();
  void dispatch();
  void hand_over(run_task order);
  void set_alarm();

  self_pointer<interface> self_;
  std::shared_ptr<state> state_;
};

/// Tasks of former lives of herald, and where those are kept that the next one needs.
struct task_memory {
  /// Null: nothing outlives the process.
  journal_actor journal;
  /// Null if `journal` is.
  recorder_actor recorder;
  std::vector<task_kept> tasks = {};
  /// Told of each task that has ended; null: nobody is.
  watcher_actor watcher = {};
};

/// Spawns the task runner with `options.workers` workers from `workers` (see `task_workers` for
/// the real ones); they end with it.
[[nodiscard]] supervised<task_runner_actor> spawn_task_runner(
  caf::actor_system& system, shell_options shell, task_options options, publisher_actor publisher,
  metrics& numbers, task_worker_factory workers, task_memory memory = {});

} // namespace herald
