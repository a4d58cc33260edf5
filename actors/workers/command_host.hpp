#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "actors/system/child_process.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"

namespace herald {

struct command_host_options {
  /// From SIGTERM to SIGKILL.
  std::chrono::milliseconds kill_after{};
  /// Shortest time between two progress reports of a command, so that one that talks without end
  /// does not fill the runner's mailbox.
  std::chrono::milliseconds progress_interval{};
};

/// A command that does the work of a task.
struct command_job {
  task_id id;
  std::size_t worker = 0;
  child_command program;
  /// For its standard input, which is closed after it.
  std::string input;
  task_runner_actor runner;
};

/// Runs child processes, all on one thread of its own that never waits for any of them. Reports to
/// the runner as a worker does: `task_progressed`, then `task_finished` unless the job was aborted,
/// then `worker_idle` when the process is reaped and its group is killed.
///
/// The methods return at once and can be called from any thread; calls of one thread take effect in
/// their order.
///
/// No child of the supervisor: it has no state but that of its jobs. A step that throws costs its
/// job, is logged, and the thread goes on.
class command_host {
public:
  command_host(command_host_options options, metrics& numbers);
  command_host(const command_host&) = delete;
  command_host& operator=(const command_host&) = delete;
  /// Kills what still runs, without a report.
  ~command_host();

  void start(command_job job);

  /// SIGTERM, and SIGKILL after `kill_after`. Ignored for a task that is not at work here.
  void abort(const task_id& id);

  /// Aborts whatever is at work for the worker; `worker_idle` is said also if nothing is.
  void release(std::size_t worker, const task_runner_actor& runner);

private:
  class loop;

  std::unique_ptr<loop> loop_;
};

} // namespace herald
