#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/connections.hpp"
#include "messages/errors.hpp"

namespace herald {

/// The head of a request, to either port.
struct request_head {
  std::string method;
  /// As sent, percent-encoded.
  std::string target;
  /// 11 for HTTP/1.1, 10 for HTTP/1.0.
  unsigned version = 11;
  /// In their order, names as sent.
  header_list headers;

  // What the headers say.

  /// The media type of `Content-Type` in lower case, without parameters; empty if there is none.
  std::string content_type{};
  std::uint64_t content_length = 0;
  bool chunked = false;
  /// The client waits for "100 Continue" before it sends the body.
  bool expects_continue = false;
  /// The body is compressed or otherwise not what it seems.
  bool encoded = false;
  /// Never with HTTP/1.0, whose keep-alive is another protocol.
  bool keep_alive = true;

  /// The first header of that name, whatever its case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  /// Whether a header `Accept` names this media type (in lower case); `*/*` names none.
  [[nodiscard]] bool accepts(std::string_view media_type) const;
};

/// Reads from the headers what they say about the request, `keep_alive` excepted, so strictly that
/// no two parsers can disagree about where the body ends. Gives what is wrong with them:
/// `ec::malformed_request` for what RFC 9112 does not allow or leaves to taste (two lengths, even
/// if they are equal; a length beside chunks; a body that does not end with chunks; no Host, or
/// two), codes of its own for what herald has not.
[[nodiscard]] std::optional<failure> interpret_headers(request_head& head);

/// The head as bytes again, up to and with its empty line, for another reader of the connection.
[[nodiscard]] std::string render_request_head(const request_head& head);

/// Whether a target is one, as far as its form goes (RFC 9112 section 3.2). Nobody is a proxy here,
/// so there is no CONNECT.
[[nodiscard]] bool is_request_target(std::string_view method, std::string_view target);

} // namespace herald
