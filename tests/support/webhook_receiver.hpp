#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/child_program.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald::testing {

/// A receiver of webhooks (webhook_receiver.py) that can be killed, and that comes back on its port
/// with all that it had.
class webhook_receiver {
public:
  /// Does not listen yet.
  webhook_receiver();

  /// Listens; knows the secrets in `secret_file`. Throws where python3 is missing.
  void start();
  void kill();
  /// As a receiver that hangs, and goes on.
  void stop() const { program_->signal(SIGSTOP); }
  void go_on() const { program_->signal(SIGCONT); }

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/hooks?key=hush";
  }
  /// Of the secret that batches are to be signed with.
  [[nodiscard]] std::string secret_file() const { return (folder_ / "secret").string(); }

  /// The events in the order in which they came, each as often as it came.
  [[nodiscard]] std::vector<nlohmann::json> arrivals() const;
  /// The same, each once: where it came first.
  [[nodiscard]] std::vector<nlohmann::json> events() const;
  /// The same in short, once there are so many; fewer where they do not come.
  [[nodiscard]] std::vector<std::string> told(std::size_t count) const;

private:
  temporary_folder folder_;
  std::uint16_t port_;
  std::optional<child_program> program_;
};

/// "stream.opened page-1", "topic.vacant x", "stream.closed page-1 restart": an event in short.
[[nodiscard]] std::string in_short(const nlohmann::json& event);

} // namespace herald::testing
