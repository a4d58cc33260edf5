#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "actors/system/owned_fd.hpp"

namespace herald {

/// Descriptors that listen on one address and port, among which the kernel spreads the clients.
struct listeners {
  std::vector<owned_fd> descriptors;
  std::uint16_t port = 0;
};

/// How long the kernel goes on trying to tell a client that it was given up.
inline constexpr std::chrono::minutes last_word{2};

/// Opens `count` of them for the streams. Port 0 picks a free one. Throws `std::runtime_error` if
/// the address is not known, or the port is taken, be it by a process that would share it; what it
/// says names the settings.
///
/// The kernel hands a client over together with the first that it says (`TCP_DEFER_ACCEPT`), which
/// saves a look at it that finds nothing; one that says nothing follows a second later.
///
/// Where clients are given up that acknowledge nothing for `give_up_after` (which is for whoever
/// accepts them to find out, see `stall_detector`), the kernel asks those for a sign of life to
/// whom nothing is sent for so long, tries at least every eighth of it whether what was sent comes
/// through now (Linux 6.15 and newer; otherwise after pauses that double), and goes on trying for
/// `last_word` once they are closed. 0 leaves it to the kernel, which takes a quarter of an hour.
[[nodiscard]] listeners listen_on(
  const std::string& host, std::uint16_t port, std::size_t count,
  std::chrono::milliseconds give_up_after = std::chrono::milliseconds{0});

} // namespace herald
