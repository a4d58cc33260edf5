#include "http/admission/proxy_header.hpp"

#include <algorithm>

namespace herald {

namespace {

namespace ip = boost::asio::ip;

constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t fixed = 16;
constexpr std::size_t ports = 4;

constexpr std::uint8_t local = 0x20;
constexpr std::uint8_t proxied = 0x21;
constexpr std::uint8_t ipv4 = 1;
constexpr std::uint8_t ipv6 = 2;
constexpr std::uint8_t last_family = 3;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

/// The first address of two; nothing if they are not whole.
template <class Address>
std::optional<ip_address> first_of_two(std::string_view bytes) {
  typename Address::bytes_type first{};
  if (bytes.size() < 2 * first.size() + ports)
    return std::nullopt;
  std::transform(bytes.begin(), bytes.begin() + first.size(), first.begin(), [](char c) {
    return static_cast<std::uint8_t>(c);
  });
  return Address{first};
}

} // namespace

proxy_header read_proxy_header(std::string_view bytes) {
  using state = proxy_header::state;
  const auto begun = std::min(bytes.size(), signature.size());
  if (bytes.substr(0, begun) != signature.substr(0, begun))
    return {state::malformed, 0, {}};
  if (bytes.size() < fixed)
    return {};
  const auto command = byte_at(bytes, 12);
  const auto family = static_cast<std::uint8_t>(byte_at(bytes, 13) >> 4U);
  const std::size_t length = byte_at(bytes, 14) * 256U + byte_at(bytes, 15);
  if (
    (command != local && command != proxied) || family > last_family
    || length > proxy_header::max_length)
    return {state::malformed, 0, {}};
  if (bytes.size() < fixed + length)
    return {};
  proxy_header header{state::read, fixed + length, {}};
  if (command == local || (family != ipv4 && family != ipv6))
    return header;
  const auto addresses = bytes.substr(fixed, length);
  header.client = family == ipv4 ? first_of_two<ip::address_v4>(addresses)
                                 : first_of_two<ip::address_v6>(addresses);
  if (!header.client)
    return {state::malformed, 0, {}};
  return header;
}

} // namespace herald
