#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "actors/supervision/shell.hpp"
#include "actors/tasks/task_options.hpp"
#include "actors/tasks/task_runner.hpp"
#include "actors/telemetry/metrics.hpp"
#include "actors/workers/command_host.hpp"
#include "messages/actors.hpp"
#include "messages/wire/task_input.hpp"

namespace herald {

/// The inside of a task worker: does the built-in types itself, on the actor clock, and hands
/// commands to the host of child processes, which reports to the runner in its place.
class task_worker {
public:
  using interface = task_worker_actor::extend<caf::reacts_to<task_timer>>;
  using shell_type = shell<interface, task_worker>;

  /// Outlives a restart of the inside.
  struct state {
    task_runner_actor runner;
    std::size_t number = 0;
    std::shared_ptr<const task_options> options;
    /// Null if there are no commands.
    std::shared_ptr<command_host> host;
    /// Of the pause that was begun last; the only one whose end counts.
    std::uint64_t timer_number = 0;
  };

  /// Says `worker_idle` once nothing is left of a former inside's work.
  task_worker(self_pointer<interface> self, std::shared_ptr<state> kept);

  static shell_type::behavior_type behavior(shell_type& s);

  void run(const run_task& order);
  void abort(const abort_task& order);
  void timer(const task_timer& due);

private:
  /// A built-in task at work.
  struct pausing {
    task_id id;
    bool fails = false;
    pause_params params;
    int done = 0;
  };

  void run_command(const run_task& order, const command_type& command);
  void pause();
  void finish(task_finished report);
  void say_idle();

  self_pointer<interface> self_;
  std::shared_ptr<state> state_;
  std::optional<pausing> work_;
};

/// Makes the real workers of a task runner. All share one host of child processes, which ends (and
/// kills what is left) with the last of them. `each` names all of them. A worker that fails fails
/// its task, nothing else is touched.
[[nodiscard]] task_worker_factory task_workers(
  caf::actor_system& system, const task_options& options, metrics& numbers,
  shell_options each = {"task-worker"});

} // namespace herald
