#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include <caf/expected.hpp>

#include "actors/system/owned_fd.hpp"
#include "actors/system/program_keeper.hpp"

namespace herald {

/// A program to run.
struct child_command {
  /// Not empty.
  std::vector<std::string> argv;
  /// Empty: herald's own.
  std::string cwd;
  /// All of its environment. A program without a slash is looked for in its PATH.
  std::map<std::string, std::string> env;
  /// herald's binary, which is run as the program's keeper (see program_keeper.hpp); empty: none.
  std::string keeper{};
  program_limits limits{};
};

/// How a child ended.
struct child_exit {
  /// Why the program could not be started, or how it ended not be learnt; else empty.
  std::string error;
  /// Exit code, or the number of the signal that ended it.
  int code = 0;
  bool by_signal = false;
};

/// A child process in a process group of its own. It inherits nothing of herald but three pipes: no
/// other descriptor, no blocked or ignored signal, no environment, no raised limit of descriptors.
/// Its end is final for the group: whoever is left in it is killed before the child is reaped.
///
/// With a keeper that is true for whatever the program has started, in other groups and sessions,
/// too; and the child is the keeper.
///
/// The kernel kills the child when the thread that started it ends, so also when herald is killed;
/// start children from a thread that lives as long as they may. Not thread-safe.
class child_process {
public:
  /// Does not wait for the program to start; why it did not is found in `finish`. Fails with
  /// `ec::internal` where there is no descriptor or process to be had.
  [[nodiscard]] static caf::expected<child_process> start(const child_command& command);

  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&&) = delete;
  /// Kills and reaps what has not been reaped.
  ~child_process();

  /// Non-blocking ends of the child's standard streams, and a descriptor that gets readable when
  /// the child has ended. To be taken over.
  owned_fd input;
  owned_fd output;
  owned_fd errors;
  owned_fd exited;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// To the whole process group; nothing once it is reaped.
  void signal(int number) const noexcept;

  /// Once the child has ended (see `exited`): kills the rest of its group and tells how it ended.
  [[nodiscard]] child_exit finish();

  /// Reaps whatever of the group is our child; to be called after `finish` until it gives true.
  [[nodiscard]] bool reap();

private:
  child_process() = default;

  pid_t pid_ = -1;
  /// The child itself; others of its group may be left.
  bool reaped_ = false;
  bool kept_ = false;
  owned_fd start_errors_;
};

} // namespace herald
