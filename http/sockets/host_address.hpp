#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

namespace herald {

/// An address to listen on, of either family.
struct host_address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  /// In network order. Both families keep it in the same place.
  [[nodiscard]] std::uint16_t& port() { return reinterpret_cast<sockaddr_in*>(&storage)->sin_port; }
  /// Without the port, in numbers.
  [[nodiscard]] std::string text() const;
};

/// All addresses that `host` stands for, each once, with port 0: `localhost` mostly has one of each
/// family. Throws `std::runtime_error` if there is none, which names the setting that the host
/// comes from.
[[nodiscard]] std::vector<host_address>
resolve_host(const std::string& host, std::string_view setting);

/// Whether the error says that this machine does not have the address, or its family: then a host
/// that has another one can be had there.
[[nodiscard]] bool is_address_missing(int error) noexcept;

using ip_address = boost::asio::ip::address;

/// IPv4 that is mapped into IPv6 as IPv4.
[[nodiscard]] ip_address unmapped(const ip_address& address);

/// Of the peer of a connected socket; unspecified if it is gone, or has none.
[[nodiscard]] ip_address peer_of(int fd);

/// In numbers; empty for the unspecified one.
[[nodiscard]] std::string address_text(const ip_address& address);

/// A client's address: IPv4 mapped into IPv6, and of IPv6 the first 64 bits, which one client has
/// to itself.
using client_address = std::array<std::uint8_t, 16>;

/// An address as clients are counted by.
[[nodiscard]] client_address counted_as(const ip_address& address);

/// That of the peer of a connected socket; all 0 if it is gone.
[[nodiscard]] client_address peer_address(int fd);

} // namespace herald
