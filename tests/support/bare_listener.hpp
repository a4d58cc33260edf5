#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace herald::testing {

/// A port on loopback at which connections are taken as soon as they are there.
class bare_listener {
public:
  bare_listener();
  ~bare_listener() { close(); }
  bare_listener(const bare_listener&) = delete;
  bare_listener& operator=(const bare_listener&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  /// The next client's socket; waits for it.
  [[nodiscard]] int take() const;
  /// Whoever takes it over closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  /// Refuses connections from now on.
  void close();

private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
};

} // namespace herald::testing
