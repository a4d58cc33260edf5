#pragma once

#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald::testing {

/// How a program has ended: by itself with a code, or by a signal.
struct exit_status {
  int code = -1;
  int signal = 0;

  friend bool operator==(const exit_status& a, const exit_status& b) {
    return a.code == b.code && a.signal == b.signal;
  }
  friend std::ostream& operator<<(std::ostream& out, const exit_status& status) {
    return status.signal != 0 ? out << "signal " << status.signal : out << "exit " << status.code;
  }
};

[[nodiscard]] inline exit_status exited(int code) {
  return {code, 0};
}
[[nodiscard]] inline exit_status killed_by(int signal) {
  return {-1, signal};
}

/// A program that runs beside the test, in a process group of its own. It never outlives the test:
/// what is left of the group is killed and reaped at the end, also if the test dies.
class child_program {
public:
  /// Runs `arguments[0]`, looked for in PATH. `environment` is added to the test's own (`NAME=V`),
  /// of which variables that configure herald are left out. Throws if it cannot be run.
  explicit child_program(
    std::vector<std::string> arguments, std::vector<std::string> environment = {});
  child_program(const child_program&) = delete;
  child_program& operator=(const child_program&) = delete;
  ~child_program();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// To the program alone, not to its children. Nothing happens if it has ended.
  void signal(int number) const;

  /// Waits for its end; nothing if it still runs after `limit`.
  std::optional<exit_status> wait(std::chrono::milliseconds limit = patience);
  [[nodiscard]] bool running() { return !wait(std::chrono::milliseconds{0}); }

  /// What it has written so far.
  [[nodiscard]] std::string standard_output() const { return text_of(folder_ / "stdout"); }
  [[nodiscard]] std::string standard_error() const { return text_of(folder_ / "stderr"); }

  /// A folder that lives as long as this does.
  [[nodiscard]] const temporary_folder& folder() const noexcept { return folder_; }

private:
  temporary_folder folder_;
  pid_t pid_ = -1;
  int handle_ = -1;
  std::optional<exit_status> ended_;
};

/// Runs a program to its end and keeps what came of it; an `exit_status` of `{}` if it had to be
/// killed.
struct finished_program {
  exit_status status;
  std::string standard_output;
  std::string standard_error;
};
[[nodiscard]] finished_program
run_program(std::vector<std::string> arguments, std::vector<std::string> environment = {});

/// Whether a program is in PATH.
[[nodiscard]] bool has_program(std::string_view name);

} // namespace herald::testing
