#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace herald {

/// The URL of a server that herald talks to, taken apart.
struct http_url {
  bool tls = false;
  /// A name or an IP address, an IPv6 address without its brackets.
  std::string host;
  std::uint16_t port = 80;
  /// Path and query as given; empty for a bare "http://host".
  std::string target;

  /// The whole of it.
  [[nodiscard]] std::string text() const;
  /// The value of the `Host` header: IPv6 in brackets, the scheme's own port left out.
  [[nodiscard]] std::string authority() const;
  /// The target as a request line needs it, with at least a "/" before the query.
  [[nodiscard]] std::string request_target() const;
};

/// Parses `http://host[:port][/path][?query]` or the same with https, as RFC 3986 has it; nothing
/// for any other text, also where it holds a user name, a fragment, blanks, control characters, or
/// port 0.
[[nodiscard]] std::optional<http_url> parse_http_url(std::string_view text);

/// Whether a status sends a client elsewhere.
[[nodiscard]] constexpr bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// Whether a client that was sent elsewhere by this status goes on with GET after a POST, as
/// browsers and `fetch` do.
[[nodiscard]] constexpr bool makes_get(unsigned status) {
  return status <= 303;
}

/// Where a redirect leads: its `Location`, read from the URL that was asked. Nothing where that is
/// no URL that `parse_http_url` takes.
[[nodiscard]] std::optional<http_url>
redirect_target(const http_url& from, std::string_view location);

/// Whether both name the same host, whatever the port.
[[nodiscard]] bool same_host(const http_url& one, const http_url& other);

/// Where a redirect leads, if that is the host that was asked, whatever its port, and no plain
/// connection where that was one of TLS: what was sent there may be secret.
[[nodiscard]] std::optional<http_url>
redirect_within_host(const http_url& from, std::string_view location);

/// Whether a text is an IP address or a syntactically good host name.
[[nodiscard]] bool is_host(std::string_view text);

/// Whether a text is an IP address, an IPv6 address without brackets.
[[nodiscard]] bool is_ip_address(std::string_view text);

/// Whether nobody but this machine reaches a listener on this host: 127.0.0.0/8, ::1, localhost.
[[nodiscard]] bool is_loopback(std::string_view host);

} // namespace herald
