#pragma once

#include <csignal>
#include <cstddef>
#include <string>
#include <vector>

#include <sys/types.h>

namespace herald {

/// The keeper of a program: a process between herald and the program, which ends all that comes of
/// it, whatever groups and sessions that has made: when the program ends by itself, when herald
/// orders it, and when herald is gone, `kill -9` included.
///
/// It is herald's own binary, run by another name. Orphans fall to it (PR_SET_CHILD_SUBREAPER). It
/// passes signals on to the program's group, and ends as the program does. After SIGTERM it gives
/// what the program leaves behind the time to end, too.

/// The order to kill all at once; to the keeper itself SIGKILL would leave all of it alone.
inline constexpr int kill_all_signal = SIGUSR2;

/// What a program may use; 0: as much as herald.
struct program_limits {
  /// Of its address space, of each process by itself.
  std::size_t memory_bytes = 0;
  /// Of each process by itself.
  std::size_t cpu_s = 0;
  /// Of a file that it writes.
  std::size_t file_bytes = 0;
};

/// Where the keeper tells why the program could not be started; see child_process.cpp.
inline constexpr int keeper_status_fd = 3;

/// The command line of a keeper. `programs` are the paths that the program may have, of which the
/// first that is there is run.
[[nodiscard]] std::vector<std::string> keeper_arguments(
  pid_t herald, const program_limits& limits, const std::vector<std::string>& programs,
  const std::vector<std::string>& argv);

/// Whether this process was started to be one.
[[nodiscard]] bool is_keeper(int argc, char** argv);

/// Keeps the program to its end, with the environment and the standard streams of this process.
[[noreturn]] void keep_program(int argc, char** argv);

/// Runs the first of the programs that is there (null ends the list); gives the error if none can
/// be run. Async-signal-safe.
[[nodiscard]] int
run_first_of(char* const* programs, char* const* argv, char* const* environment) noexcept;

/// Bounds what this process can come to, and what it starts: by the limits, and to the rights that
/// its user has (PR_SET_NO_NEW_PRIVS). Async-signal-safe.
void bound_this_process(const program_limits& limits) noexcept;

} // namespace herald
