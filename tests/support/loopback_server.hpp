#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include <httplib.h>

namespace herald::testing {

/// cpp-httplib at a free port of loopback, on a thread of its own: add routes, then `start`.
class loopback_server : public httplib::Server {
public:
  ~loopback_server() override { end(); }

  /// Returns when it answers; at a port that was free, or at this one.
  void start(int port = 0);
  /// Waits for the requests under way. Calling it again does nothing.
  void end();

  [[nodiscard]] std::uint16_t port() const noexcept { return static_cast<std::uint16_t>(port_); }
  /// Of a path that begins with a slash.
  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

private:
  int port_ = 0;
  std::thread thread_;
};

} // namespace herald::testing
