#pragma once

#include <chrono>
#include <cstddef>
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

/// The same of nothing but `outstanding`, at a sixth of the cost; true for what is no socket.
[[nodiscard]] bool is_outstanding(int fd);
/// How many bytes that are, at the same cost; nothing for what is no socket.
[[nodiscard]] std::optional<std::size_t> outstanding_bytes(int fd);

/// How many chains the kernel's table of established connections has, of this network namespace:
/// every packet looks its connection up there. Fixed when the kernel starts (`thash_entries`, Linux
/// kernel parameters). Nothing where the kernel does not say so (before 6.1).
[[nodiscard]] std::optional<std::size_t> established_chains();

} // namespace herald
