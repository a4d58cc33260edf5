#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace herald {

/// How far the kernel has come with what a socket was given.
struct tcp_progress {
  /// Bytes that the other side has acknowledged, ever growing.
  std::uint64_t acknowledged = 0;
  /// Whether it has not acknowledged all.
  bool outstanding = false;
  /// How long ago it has acknowledged anything, be it a probe.
  std::chrono::milliseconds unheard{0};
};

/// Nothing for a descriptor that is no TCP socket.
[[nodiscard]] std::optional<tcp_progress> tcp_progress_of(int fd);

} // namespace herald
