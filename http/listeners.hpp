#pragma once

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

/// Opens `count` of them. Port 0 picks a free one. Throws `std::system_error` if the address is not
/// known, or the port is taken, be it by a process that would share it.
[[nodiscard]] listeners listen_on(const std::string& host, std::uint16_t port, std::size_t count);

} // namespace herald
