#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

namespace herald {

/// What an API request says before its body, checked so strictly that no two parsers can disagree
/// about where the body ends.
struct request_head {
  std::string method;
  /// As sent, percent-encoded.
  std::string target;
  /// The media type of `Content-Type` in lower case, without parameters; empty if there is none.
  std::string content_type;
  std::uint64_t content_length = 0;
  bool chunked = false;
  /// The client waits for "100 Continue" before it sends the body.
  bool expects_continue = false;
  /// The body is compressed or otherwise not what it seems.
  bool encoded = false;
  /// Never with HTTP/1.0, whose keep-alive is another protocol.
  bool keep_alive = true;
};

/// Most bytes of a head, of one of its lines, and most header fields.
inline constexpr std::size_t max_head_bytes = std::size_t{16} * 1024;
inline constexpr std::size_t max_head_line_bytes = 8000;
inline constexpr std::size_t max_header_fields = 100;

/// Reads a head that ends with its empty line. `ec::malformed_request` for anything that RFC 9112
/// does not allow or leaves to taste: bare CR or LF, folded lines, space before a colon, two
/// lengths, a length beside chunks, a body that does not end with chunks, no or two hosts. What it
/// allows but herald has not, or not so much of, has codes of its own.
[[nodiscard]] caf::expected<request_head> parse_request_head(std::string_view head);

} // namespace herald
