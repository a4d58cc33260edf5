#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

namespace herald {

/// An `http://` URL taken apart, as a client needs it.
struct http_url {
  /// A name or an address, without the brackets of IPv6.
  std::string host;
  std::uint16_t port = 80;
  /// Path and query as they go onto the wire, percent-encoding as given; at least "/".
  std::string target = "/";

  /// The value of the `Host` header.
  [[nodiscard]] std::string authority() const;
};

/// Reads an absolute URL. `ec::invalid_field` says what is wrong with it, never what it holds, for
/// it may hold a secret: another scheme (https included: herald calls backends on its own network),
/// no host, a bad port, user and password, characters that a URL must encode.
[[nodiscard]] caf::expected<http_url> parse_http_url(std::string_view text);

} // namespace herald
