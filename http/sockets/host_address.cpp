#include "http/sockets/host_address.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <netdb.h>

namespace herald {

namespace ip = boost::asio::ip;

std::string host_address::text() const {
  std::array<char, INET6_ADDRSTRLEN> numbers{};
  ::getnameinfo(get(), size, numbers.data(), numbers.size(), nullptr, 0, NI_NUMERICHOST);
  return numbers.data();
}

std::vector<host_address> resolve_host(const std::string& host, std::string_view setting) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0)
    throw std::runtime_error{
      std::string{setting} + ": " + host + " cannot be resolved: " + ::gai_strerror(error)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard{found, &::freeaddrinfo};
  std::vector<host_address> all;
  for (const auto* one = found; one != nullptr; one = one->ai_next) {
    host_address address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    // /etc/hosts may name it twice.
    if (std::none_of(all.begin(), all.end(), [&](const host_address& other) {
          return other.text() == address.text();
        }))
      all.push_back(address);
  }
  return all;
}

bool is_address_missing(int error) noexcept {
  return error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

ip_address unmapped(const ip_address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

ip_address peer_of(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0)
    return {};
  if (peer.ss_family == AF_INET) {
    ip::address_v4::bytes_type bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, bytes.size());
    return ip::address_v4{bytes};
  }
  if (peer.ss_family != AF_INET6)
    return {};
  ip::address_v6::bytes_type bytes{};
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, bytes.size());
  return unmapped(ip::address_v6{bytes});
}

client_address counted_as(const ip_address& address) {
  constexpr std::size_t prefix = 8;
  const auto plain = unmapped(address);
  if (plain.is_v4())
    return ip::make_address_v6(ip::v4_mapped, plain.to_v4()).to_bytes();
  auto bytes = plain.to_v6().to_bytes();
  std::fill(bytes.begin() + prefix, bytes.end(), std::uint8_t{0});
  return bytes;
}

std::string address_text(const ip_address& address) {
  return address.is_unspecified() ? std::string{} : unmapped(address).to_string();
}

client_address peer_address(int fd) {
  const auto peer = peer_of(fd);
  return peer.is_unspecified() ? client_address{} : counted_as(peer);
}

} // namespace herald
