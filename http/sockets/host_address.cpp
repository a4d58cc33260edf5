#include "http/sockets/host_address.hpp"

#include <array>
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

host_address resolve_host(const std::string& host, std::string_view setting) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0)
    throw std::runtime_error{
      std::string{setting} + ": " + host + " cannot be resolved: " + ::gai_strerror(error)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard{found, &::freeaddrinfo};
  host_address result;
  std::memcpy(&result.storage, found->ai_addr, found->ai_addrlen);
  result.size = found->ai_addrlen;
  return result;
}

} // namespace herald
