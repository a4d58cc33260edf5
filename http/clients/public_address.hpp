#pragma once

#include <sys/socket.h>

namespace herald {

/// Whether an address is one of the internet: not of this machine, its link, a private network, or
/// a range that is nobody's. Addresses of IPv4 inside of those of IPv6 (mapped, translated, 6to4)
/// count as what they are. False for another family.
[[nodiscard]] bool is_public_address(const sockaddr& address);

} // namespace herald
