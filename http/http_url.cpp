#include "http/http_url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "messages/errors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

namespace {

bool starts_with_scheme(std::string_view text, std::string_view scheme) {
  return text.size() >= scheme.size()
         && std::equal(scheme.begin(), scheme.end(), text.begin(), [](char expected, char given) {
              return given == expected
                     || (given >= 'A' && given <= 'Z' && given - 'A' + 'a' == expected);
            });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || rest != end || port == 0)
    return std::nullopt;
  return port;
}

/// Splits "host", "host:8080", "[::1]:8080" into host and port text; nothing if it is none.
struct host_and_port {
  std::string_view host;
  std::string_view port;
};

std::optional<host_and_port> split_authority(std::string_view text) {
  host_and_port result;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      return std::nullopt;
    result.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const auto end = std::min(text.find(':'), text.size());
    result.host = text.substr(0, end);
    rest = text.substr(end);
  }
  if (result.host.empty() || (!rest.empty() && (rest.front() != ':' || rest.size() == 1)))
    return std::nullopt;
  result.port = rest.empty() ? rest : rest.substr(1);
  return result;
}

caf::error bad(std::string detail) {
  return fail(ec::invalid_field, std::move(detail));
}

} // namespace

std::string http_url::authority() const {
  auto text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != 80)
    text.append(":").append(std::to_string(port));
  return text;
}

caf::expected<http_url> parse_http_url(std::string_view text) {
  if (starts_with_scheme(text, "https://"))
    return bad("must be an http:// URL: https is not supported, put a proxy in between");
  if (!starts_with_scheme(text, "http://"))
    return bad("must be an absolute http:// URL");
  const auto is_unsafe = [](unsigned char c) {
    return c <= 0x20 || c >= 0x7f;
  };
  if (std::any_of(text.begin(), text.end(), is_unsafe))
    return bad("must not contain spaces, control or non-ASCII characters");
  text.remove_prefix(std::string_view{"http://"}.size());
  text = text.substr(0, text.find('#'));
  const auto authority_end = std::min(text.find_first_of("/?"), text.size());
  const auto authority = text.substr(0, authority_end);
  const auto target = text.substr(authority_end);
  if (authority.find('@') != std::string_view::npos)
    return bad("must not contain a user or password");
  const auto parts = split_authority(authority);
  if (!parts)
    return bad("must name a host");
  http_url url;
  url.host = parts->host;
  if (!parts->port.empty()) {
    const auto port = parse_port(parts->port);
    if (!port)
      return bad("must have a port from 1 to 65535");
    url.port = *port;
  }
  url.target = target;
  if (!target.starts_with('/'))
    url.target.insert(url.target.begin(), '/');
  return url;
}

} // namespace herald
