#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/child_program.hpp"

namespace herald::testing {

/// What of a herald's start differs from the default. Ports are free ones unless `arguments` say
/// otherwise.
struct herald_options {
  std::vector<std::string> arguments;
  /// Variables as `NAME=VALUE`.
  std::vector<std::string> environment;
  /// A configuration file, if there is to be one.
  std::string config;
  /// Another binary than herald's own.
  std::string binary{};
};

/// A running herald: the built binary as a process of its own.
class herald_process {
public:
  /// Starts it and waits until it has opened its ports. Throws, with its log, if it ends instead.
  explicit herald_process(const herald_options& options = {});
  explicit herald_process(std::vector<std::string> arguments)
    : herald_process(herald_options{std::move(arguments), {}, {}, {}}) {}
  herald_process(const herald_process&) = delete;
  herald_process& operator=(const herald_process&) = delete;
  /// Kills it if it still runs. A sanitizer's report fails the test, and who fails sees its log.
  ~herald_process();

  [[nodiscard]] std::uint16_t api_port() const noexcept { return api_port_; }
  /// 0 where an external gateway holds the streams.
  [[nodiscard]] std::uint16_t stream_port() const noexcept { return stream_port_; }

  [[nodiscard]] pid_t pid() const noexcept { return program_.pid(); }
  [[nodiscard]] bool running() { return program_.running(); }
  void signal(int number) const { program_.signal(number); }
  /// Waits for its end; nothing if it still runs after `limit`.
  std::optional<exit_status> wait(std::chrono::milliseconds limit = patience) {
    return program_.wait(limit);
  }
  /// Asks it to end, and waits until it has.
  std::optional<exit_status> terminate();
  /// Ends it without asking, and waits until it has.
  void kill();

  /// What it has written of its log so far. A thread of its own writes it: what was logged may come
  /// later.
  [[nodiscard]] std::string log() const { return program_.standard_error(); }
  /// All that it has logged by now, while it runs: has it log a line more, and waits for that.
  [[nodiscard]] std::string full_log() const;
  /// Waits until it has logged this, behind the first `from` bytes of its log. Whether it has.
  [[nodiscard]] bool logs(std::string_view piece, std::size_t from = 0) const;
  /// Has it read its settings again, and waits until it has taken them. Whether it has.
  [[nodiscard]] bool reload() const;
  [[nodiscard]] const temporary_folder& folder() const noexcept { return program_.folder(); }

private:
  void wait_for_ports();

  temporary_folder files_;
  child_program program_;
  std::uint16_t api_port_ = 0;
  std::uint16_t stream_port_ = 0;
};

/// Runs herald to its end: for calls that do not start it.
[[nodiscard]] finished_program
run_herald(std::vector<std::string> arguments, std::vector<std::string> environment = {});

} // namespace herald::testing
