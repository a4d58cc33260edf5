#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/ids.hpp"

namespace herald {

/// A task type whose work is done by a program.
struct command_type {
  /// The program (looked for in the child's own PATH unless it has a slash) and its arguments.
  std::vector<std::string> argv;
  /// Empty: herald's own.
  std::string cwd;
  /// Over `task_options::environment`.
  std::map<std::string, std::string> env;
  /// Instead of `task_settings::timeout_s`; zero for none.
  std::optional<std::chrono::milliseconds> timeout_s;

  friend bool operator==(const command_type&, const command_type&) = default;
};

/// By the name of the type.
using command_map = std::map<std::string, command_type>;

/// Who is told of a task that names nobody.
enum class task_audience : std::uint8_t { everyone, none };

/// How tasks are run (settings `tasks`).
struct task_settings {
  /// Tasks that run at a time, `external` ones aside.
  std::size_t workers = 4;
  /// Longest run of a task that has a worker; zero for no limit.
  std::chrono::milliseconds timeout_s{300'000};
  /// How long an ended task can be asked for.
  std::chrono::milliseconds retention_s{600'000};
  /// From SIGTERM to SIGKILL.
  std::chrono::milliseconds kill_after_ms{2000};
  /// Tasks that wait for a worker; more are refused.
  std::size_t max_pending = 1000;
  /// Tasks of type `external` that run at a time; more are refused.
  std::size_t max_external = 1000;
  /// Ended tasks that are kept, whatever the retention says.
  std::size_t max_ended = 10'000;
  /// Longest silence of the service that does the work of an `external` task; zero for no limit.
  std::chrono::milliseconds external_timeout_s{3'600'000};
  /// What each process of a program may use; 0 for no limit.
  std::size_t max_memory_bytes = 0;
  std::chrono::milliseconds max_cpu_s{0};
  std::size_t max_file_bytes = 0;
  command_map commands;
  task_audience audience = task_audience::everyone;
  /// Whether pages are told what a program that failed has written to stderr.
  bool publish_errors = false;
  /// Bytes of the ended tasks that are kept, with what keeping one costs besides.
  std::size_t max_ended_bytes = std::size_t{64} << 20U;
};

/// The settings, and what is none.
struct task_options : task_settings {
  /// Shortest time between two progress events of a task: what a screen can show.
  std::chrono::milliseconds progress_interval{100};
  /// The environment of every command. herald's own is not handed down: it holds secrets.
  std::map<std::string, std::string> environment = {
    {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    {"LANG", "C.UTF-8"},
  };
  /// herald's binary, to keep each program (see actors/system/program_keeper.hpp); empty: programs
  /// are not kept.
  std::string keeper{};
  /// What the environment of the program of one task has beside that; empty: nothing.
  std::function<std::map<std::string, std::string>(const task_id&)> variables_of{};
};

/// Every type that can be started, in the order of their names.
[[nodiscard]] std::vector<std::string> task_types(const task_settings& options);

} // namespace herald
