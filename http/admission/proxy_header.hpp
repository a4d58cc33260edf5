#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/admission/client_origin.hpp"

namespace herald {

/// The header of the PROXY protocol, version 2 (HAProxy's proxy-protocol.txt, section 2.2), which
/// stands before the first request of a connection. All numbers are in network order:
///
///     12 bytes  0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A
///      1        20: the proxy speaks for itself (LOCAL), 21: for a client (PROXY)
///      1        the high half is the family: 0 unknown, 1 IPv4, 2 IPv6, 3 a path; the low half,
///               which does not matter here, 1 for a stream
///      2        how many bytes follow
///      IPv4:  4 of the client, 4 of the proxy, 2 and 2 of their ports
///      IPv6: 16 of the client, 16 of the proxy, 2 and 2
///               whatever else the proxy says
struct proxy_header {
  enum class state : std::uint8_t { incomplete, read, malformed };

  /// Most bytes that may follow: proxies add names and certificates to the addresses.
  static constexpr std::size_t max_length = 4096;

  state now = state::incomplete;
  /// Of the header, once it is read.
  std::size_t bytes = 0;
  /// The client, where the header names one by its address.
  std::optional<ip_address> client;
};

/// Reads the header that the bytes begin with.
[[nodiscard]] proxy_header read_proxy_header(std::string_view bytes);

} // namespace herald
