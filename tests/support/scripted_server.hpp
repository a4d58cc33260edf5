#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/bare_listener.hpp"

namespace herald::testing {

/// What a server does with one connection: one answer per request, raw; an empty one closes it.
/// After the last one it closes the connection, too.
using connection_script = std::vector<std::string>;

/// A server that says what no good one would. Takes one connection for each script, in their order.
/// Ends by itself after them, so whoever has a connection to it leaves before it is destroyed.
class scripted_server {
public:
  /// The body of every request ends with `request_end`, and no other part of it does.
  scripted_server(std::string request_end, std::vector<connection_script> scripts);
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;
  ~scripted_server() { thread_.join(); }

  [[nodiscard]] std::string url() const { return listener_.url() + "/"; }
  [[nodiscard]] int requests() const { return requests_; }

private:
  void play(const connection_script& answers);
  [[nodiscard]] bool read_request(int fd) const;

  const std::string request_end_;
  bare_listener listener_;
  std::atomic<int> requests_{0};
  std::thread thread_;
};

} // namespace herald::testing
