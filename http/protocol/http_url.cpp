#include "http/protocol/http_url.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <arpa/inet.h>

#include <boost/url/parse.hpp>

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

} // namespace

bool is_ip_address(std::string_view text) {
  // inet_pton reads up to a NUL, so a text that holds one is no address.
  return text.find('\0') == std::string_view::npos && (as_ipv4(text) || as_ipv6(text));
}

bool is_host(std::string_view text) {
  return is_ip_address(text) || is_host_name(text);
}

bool is_loopback(std::string_view host) {
  if (const auto v4 = as_ipv4(host))
    return ntohl(v4->s_addr) >> 24 == 127;
  if (const auto v6 = as_ipv6(host))
    return IN6_IS_ADDR_LOOPBACK(&*v6);
  return same_ignoring_case(host, "localhost");
}

std::string http_url::text() const {
  return (tls ? "https://" : "http://") + authority() + request_target();
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

std::optional<http_url> redirect_target(const http_url& from, std::string_view location) {
  location = location.substr(0, location.find('#'));
  const auto scheme = std::string{from.tls ? "https:" : "http:"};
  const auto path = from.request_target();
  if (location.starts_with("//"))
    return parse_http_url(scheme + std::string{location});
  if (location.starts_with('/'))
    return parse_http_url(scheme + "//" + from.authority() + std::string{location});
  if (location.find(':') < location.find_first_of("/?"))
    return parse_http_url(location);
  if (location.empty() || location.front() == '?')
    return std::nullopt;
  // Dots in it are for the server.
  return parse_http_url(
    scheme + "//" + from.authority() + path.substr(0, path.rfind('/', path.find('?')) + 1)
    + std::string{location});
}

bool same_host(const http_url& one, const http_url& other) {
  return same_ignoring_case(one.host, other.host);
}

std::optional<http_url> redirect_within_host(const http_url& from, std::string_view location) {
  auto to = redirect_target(from, location);
  if (!to || !same_host(*to, from) || (from.tls && !to->tls))
    return std::nullopt;
  return to;
}

std::optional<http_url> parse_http_url(std::string_view text) {
  // Before Boost has a look: 1.81 has an assertion that fails for "h:\xd0", which has no authority.
  const bool tls = text.starts_with("https://");
  if (!tls && !text.starts_with("http://"))
    return std::nullopt;
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed || parsed->has_userinfo() || parsed->has_fragment())
    return std::nullopt;
  std::string host{std::string_view{parsed->encoded_host_address()}};
  // "[v1.a]" is an address of a version that nobody has, and "v1.a" would be a name.
  if (parsed->host_type() == boost::urls::host_type::ipvfuture || !is_host(host))
    return std::nullopt;
  const std::string_view target = parsed->encoded_target();
  // Boost takes "http://[::1]x" for a host and a relative path.
  if (!target.empty() && target.front() != '/' && target.front() != '?')
    return std::nullopt;
  std::uint16_t port = tls ? 443 : 80;
  if (parsed->has_port()) {
    // Boost's own number is what is left of one that is too large.
    const std::string_view digits = parsed->port();
    const auto* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, port);
    if (error != std::errc{} || stop != end || port == 0)
      return std::nullopt;
  }
  return http_url{tls, std::move(host), port, std::string{target}};
}

} // namespace herald
