#include "http/protocol/http_url.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

#include "messages/text/ascii.hpp"

namespace herald {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter_or_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::optional<in_addr> as_ipv4(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string{text}.c_str(), &address) != 1)
    return std::nullopt;
  return address;
}

std::optional<in6_addr> as_ipv6(std::string_view text) {
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string{text}.c_str(), &address) != 1)
    return std::nullopt;
  return address;
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-'
         && std::all_of(text.begin(), text.end(), [](char c) {
              return is_letter_or_digit(c) || c == '-' || c == '_';
            });
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253)
    return false;
  std::string_view last;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find('.', start), text.size());
    last = text.substr(start, end - start);
    if (!is_label(last))
      return false;
    start = end + 1;
  }
  // "127.0.0.256" is a mistyped address, not a name.
  return !std::all_of(last.begin(), last.end(), is_digit);
}

/// A port, or nothing if the text is not one between 1 and 65535.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end || port == 0)
    return std::nullopt;
  return port;
}

} // namespace

bool is_host(std::string_view text) {
  // inet_pton reads up to a NUL, so a text that holds one is no address.
  if (text.find('\0') != std::string_view::npos)
    return false;
  return as_ipv4(text) || as_ipv6(text) || is_host_name(text);
}

bool is_loopback(std::string_view host) {
  if (const auto v4 = as_ipv4(host))
    return ntohl(v4->s_addr) >> 24 == 127;
  if (const auto v6 = as_ipv6(host))
    return IN6_IS_ADDR_LOOPBACK(&*v6);
  return same_ignoring_case(host, "localhost");
}

std::string http_url::authority() const {
  auto text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? 443 : 80))
    text.append(":").append(std::to_string(port));
  return text;
}

std::string http_url::request_target() const {
  return target.starts_with('/') ? target : "/" + target;
}

std::optional<http_url> parse_http_url(std::string_view text) {
  const auto printable = [](char c) {
    return c > ' ' && c < 0x7f && c != '#';
  };
  if (!std::all_of(text.begin(), text.end(), printable))
    return std::nullopt;
  http_url url;
  if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else if (text.starts_with("https://")) {
    text.remove_prefix(8);
    url.tls = true;
    url.port = 443;
  } else {
    return std::nullopt;
  }
  const auto authority_end = std::min(text.find_first_of("/?"), text.size());
  const auto authority = text.substr(0, authority_end);
  url.target = text.substr(authority_end);
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos || !as_ipv6(authority.substr(1, close - 1)))
      return std::nullopt;
    url.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    if (!as_ipv4(url.host) && !is_host_name(url.host))
      return std::nullopt;
    port = authority.substr(colon);
  }
  if (port.empty())
    return url;
  const auto number = port.front() == ':' ? parse_port(port.substr(1)) : std::nullopt;
  if (!number)
    return std::nullopt;
  url.port = *number;
  return url;
}

} // namespace herald
