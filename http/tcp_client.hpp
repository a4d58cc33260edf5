#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace herald {

/// A blocking TCP connection to a server, with a deadline on each operation. Closed by its end.
class tcp_client {
public:
  using deadline = std::chrono::steady_clock::time_point;

  enum class status : std::uint8_t { done, timed_out, failed };

  tcp_client() = default;
  tcp_client(const tcp_client&) = delete;
  tcp_client& operator=(const tcp_client&) = delete;
  ~tcp_client() { close(); }

  /// Tries the host's addresses in turn. Not delayed by Nagle's algorithm afterwards.
  status open(const std::string& host, std::uint16_t port, deadline until);
  status send(std::string_view bytes, deadline until);
  /// Receives at least one byte; none with `done` is the end of the stream.
  status receive(char* to, std::size_t room, std::size_t& received, deadline until);
  void close() noexcept;

  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  /// Whether the server has hung up, or said something that nobody asked for.
  [[nodiscard]] bool is_stale() const noexcept;

private:
  int fd_ = -1;
};

} // namespace herald
