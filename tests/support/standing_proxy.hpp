#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/bare_listener.hpp"

namespace herald::testing {

/// What stands in front of a herald that is started again: its port stays open. Passes bytes on
/// between clients and a port of loopback; while nothing answers there a client gets a stream that
/// ends at once and says when to come back, as deploy/nginx does it.
class standing_proxy {
public:
  /// To the port `to`.
  explicit standing_proxy(std::uint16_t to);
  standing_proxy(const standing_proxy&) = delete;
  standing_proxy& operator=(const standing_proxy&) = delete;
  ~standing_proxy();

  [[nodiscard]] std::uint16_t port() const noexcept { return listener_.port(); }
  /// For clients that come from now on.
  void pass_to(std::uint16_t port) noexcept { to_ = port; }
  /// Clients that were told to come back.
  [[nodiscard]] int told() const noexcept { return told_; }

private:
  struct pair {
    int client = -1;
    int server = -1;
    /// What the client has sent, until the server answers.
    std::string request;
    bool answered = false;
  };

  void run();
  void take_client();
  [[nodiscard]] bool pass_on(pair& both, bool from_client);
  void tell_to_come_back(const pair& both);

  bare_listener listener_;
  std::atomic<std::uint16_t> to_;
  std::atomic<int> told_{0};
  std::atomic<bool> ended_{false};
  std::vector<pair> pairs_;
  std::thread thread_;
};

} // namespace herald::testing
