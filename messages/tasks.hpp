#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/audience.hpp"
#include "messages/ids.hpp"
#include "messages/text/time.hpp"

namespace herald {

/// Bounds on what a task may carry, so that many tasks and their events stay affordable. In bytes.
inline constexpr std::size_t max_task_json_bytes = std::size_t{64} * 1024; ///< params, result
inline constexpr std::size_t max_task_error_bytes = std::size_t{8} * 1024;
inline constexpr std::size_t max_task_text_bytes = 1024; ///< text of a progress report

/// The task types that herald brings along; any other is a command of the settings.
inline constexpr const char* demo_type = "demo";
inline constexpr const char* failing_type = "failing";
inline constexpr const char* external_type = "external";
inline constexpr std::array builtin_task_types = {demo_type, failing_type, external_type};

/// pending -> running -> completed | failed | cancelled; pending -> failed | cancelled. The last
/// three are final.
enum class task_status : std::uint8_t { pending, running, completed, failed, cancelled };

[[nodiscard]] std::string_view to_string(task_status status);
[[nodiscard]] constexpr bool is_final(task_status status) noexcept {
  return status >= task_status::completed;
}

/// A task as the API shows it.
struct task_view {
  task_id id;
  std::string type;
  task_status status = task_status::pending;
  std::optional<wall_time> start_time;
  std::optional<wall_time> end_time;
  /// 0 to 1, never falls.
  double progress = 0.0;
  std::string progress_text;
  /// JSON text; empty while there is none.
  std::string result_json;
  std::string error;
  /// Of its last event, from 1; 0 while there is none. A page that joins late asks for the task,
  /// and goes on with the events behind it: whatever those up to it have told is in what is shown.
  std::uint64_t seq = 0;
  /// Who is told of it; null: everyone.
  audience_ptr to = nullptr;
  /// False: nobody is told of it, and it has no events.
  bool told = true;
};

// Commands and queries to the task runner.

/// Starts a task of a known type. Answered with its view (pending, or running if external).
struct start_task {
  std::string type;
  /// JSON text of an object.
  std::string params_json;
  /// Who is told of it; null: whom the settings say.
  audience_ptr to = nullptr;
  /// The id that it is to have; a task that has it already is the answer.
  std::optional<task_id> planned = std::nullopt;
};

struct get_task {
  task_id id;
};

/// Lists tasks in the order in which they were started, from after the cursor.
struct list_tasks {
  std::uint64_t after = 0;
  std::size_t limit = 100;
};

struct task_page {
  std::vector<task_view> tasks;
  std::size_t total = 0;
  /// Cursor of the next page; nothing on the last.
  std::optional<std::uint64_t> next;
};

/// Ends a task that has not ended: it is cancelled when this is answered.
struct cancel_task {
  task_id id;
};

/// Forgets an ended task.
struct remove_task {
  task_id id;
};

/// A report on a task of type `external`, by the service that does its work. Each is answered with
/// the task as it is then.
struct report_progress {
  task_id id;
  double value = 0.0;
  std::optional<std::string> text;
};

struct report_completion {
  task_id id;
  /// JSON text.
  std::string result_json;
};

struct report_failure {
  task_id id;
  std::string error;
};

/// When the grace of `begin_shutdown` is over: no new tasks, pending ones are cancelled, running
/// ones fail. Answered when no worker has anything left of them.
struct abort_all_tasks {};

// Between runner and worker.

/// To a worker: does the work of one task and reports to the runner.
struct run_task {
  task_id id;
  std::string type;
  std::string params_json;
};

/// To a worker: stops the work as soon as it can; no report is expected any more.
struct abort_task {
  task_id id;
};

/// From a worker: progress of a running task.
struct task_progressed {
  task_id id;
  double value = 0.0;
  std::optional<std::string> text;
};

/// From a worker: the work has ended by itself, with a result (JSON text) or an error.
struct task_finished {
  task_id id;
  std::string result_json;
  /// Set if the task failed.
  std::optional<std::string> error;
  /// What pages may know of the error where errors are not published; nothing: all of it.
  std::optional<std::string> public_error = std::nullopt;
};

/// From a worker: it has nothing of this task left (process ended, timers gone) and can take
/// another.
struct worker_idle {
  std::size_t worker = 0;
};

/// From a runner or worker to itself: a moment that it waits for has come. Stale when `number` is
/// not the last one it has set.
struct task_timer {
  std::uint64_t number = 0;
};

/// From the runner to observers and the wire: one step in the life of a task.
enum class task_event_type : std::uint8_t {
  task_started,
  progress_update,
  task_completed,
  task_failed,
  task_cancelled
};

[[nodiscard]] std::string_view to_string(task_event_type type);

struct task_event {
  task_event_type type = task_event_type::task_started;
  task_id id;
  wall_time timestamp;
  /// JSON text; "null" where the step has no data.
  std::string data_json;
  /// Its place in the events of the task, from 1; 0 for one that is not of a task's life.
  std::uint64_t seq = 0;
};

/// From the runner to the watcher, once it is in the file where there is a journal: the task has
/// ended.
struct task_ended {
  task_view task;
};

} // namespace herald
