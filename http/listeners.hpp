#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace herald {

/// Descriptors that listen on one address and port, among which the kernel spreads the clients.
struct listeners {
  std::vector<int> descriptors;
  std::uint16_t port = 0;
};

/// Opens `count` of them for the streams. Port 0 picks a free one. Throws `std::runtime_error` if
/// the address is not known, or the port is taken, be it by a process that would share it; what it
/// says names the settings.
///
/// The connections of a client that acknowledges nothing for `give_up_after` (after something was
/// sent to it, or nothing for as long) are ended by the kernel with ETIMEDOUT, and so are those of
/// one that takes nothing for so long; 0 leaves it to the kernel, which takes a quarter of an hour.
[[nodiscard]] listeners listen_on(
  const std::string& host, std::uint16_t port, std::size_t count,
  std::chrono::milliseconds give_up_after = std::chrono::milliseconds{0});

} // namespace herald
