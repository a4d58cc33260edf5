#include "http/sockets/host_address.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <netdb.h>

namespace herald {

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

client_address peer_address(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  client_address result{};
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0)
    return result;
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer).sin_addr;
    result[10] = result[11] = 0xff;
    std::memcpy(&result[12], &v4, sizeof v4);
    return result;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
  std::memcpy(result.data(), &v6, result.size());
  if (!IN6_IS_ADDR_V4MAPPED(&v6))
    std::fill(result.begin() + 8, result.end(), std::uint8_t{0});
  return result;
}

} // namespace herald
