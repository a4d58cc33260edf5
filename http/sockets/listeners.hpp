#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/system/owned_fd.hpp"

namespace herald {

/// Descriptors that listen on one port, of one address or several.
struct listeners {
  /// A set for each who accepts: one descriptor for each address. The kernel spreads the clients of
  /// an address among the sets.
  std::vector<std::vector<owned_fd>> sets;
  std::uint16_t port = 0;
};

/// How long the kernel goes on trying to tell a client that it was given up.
inline constexpr std::chrono::minutes last_word{2};

/// Opens `count` sets of them for the streams, on all addresses of the host that this machine has.
/// Port 0 picks one that is free on all of them. Throws `std::runtime_error` if the host is not
/// known, or the port is taken, be it by a process that would share it; what it says names the
/// settings.
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

/// Throws as `listen_on` would, also for the API (`section` is "stream" or "api"), and leaves
/// nothing behind: nobody is ever let in.
void check_port(std::string_view section, const std::string& host, std::uint16_t port);

} // namespace herald
