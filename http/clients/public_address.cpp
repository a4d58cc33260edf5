#include "http/clients/public_address.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <netinet/in.h>

namespace herald {

namespace {

namespace ip = boost::asio::ip;

/// IANA's registries of special-purpose addresses, without what is public in them; multicast, too.
constexpr std::array<const char*, 15> special_v4 = {
  "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
  "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
  "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4"};
/// What is public of IPv6, and what is not public of that.
constexpr const char* global_v6 = "2000::/3";
constexpr std::array<const char*, 3> special_v6 = {"2001::/23", "2001:db8::/32", "3fff::/20"};
/// With an address of IPv4 in them, and where in the bytes that is.
struct embedding {
  const char* network;
  std::size_t at;
};
constexpr std::array<embedding, 4> embeddings = {
  embedding{"::ffff:0:0/96", 12}, {"64:ff9b::/96", 12}, {"2002::/16", 2}, {"::/96", 12}};

bool contains(const ip::network_v4& network, const ip::address_v4& address) {
  return ip::network_v4{address, network.prefix_length()}.canonical() == network;
}

bool contains(const ip::network_v6& network, const ip::address_v6& address) {
  return ip::network_v6{address, network.prefix_length()}.canonical() == network;
}

bool is_public(const ip::address_v4& address) {
  return std::none_of(special_v4.begin(), special_v4.end(), [&](const char* network) {
    return contains(ip::make_network_v4(network), address);
  });
}

bool is_public(const ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  for (const auto& [network, at] : embeddings) {
    if (!contains(ip::make_network_v6(network), address))
      continue;
    ip::address_v4::bytes_type inside{};
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), inside.size(), inside.begin());
    return is_public(ip::address_v4{inside});
  }
  return contains(ip::make_network_v6(global_v6), address)
         && std::none_of(special_v6.begin(), special_v6.end(), [&](const char* network) {
              return contains(ip::make_network_v6(network), address);
            });
}

} // namespace

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return is_public(ip::address_v4{ntohl(v4.sin_addr.s_addr)});
  }
  if (address.sa_family != AF_INET6)
    return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  ip::address_v6::bytes_type bytes{};
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return is_public(ip::address_v6{bytes});
}

} // namespace herald
