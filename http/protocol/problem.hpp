#pragma once

#include <string_view>

#include <caf/error.hpp>

#include "http/protocol/api_message.hpp"
#include "messages/errors.hpp"

namespace herald {

/// How a failure is shown over HTTP.
struct problem_kind {
  int status = 500;
  /// Short, the same for every occurrence.
  const char* title = "";
};

/// The one table from failures to HTTP.
[[nodiscard]] problem_kind kind_of(ec code);

/// A problem document (RFC 9457) as an answer: `title`, `status`, `detail`, and `field` where one
/// is to blame.
[[nodiscard]] api_reply
problem(const problem_kind& kind, std::string_view detail, std::string_view field = {});

/// The same for a failure, with the headers that belong to its status, such as `Retry-After`.
[[nodiscard]] api_reply problem(const failure& what);
[[nodiscard]] api_reply problem(const caf::error& error);

/// The whole answer, to be followed by the end of the connection, where memory is out: a text that
/// is there already, for making one would need what there is none of.
inline constexpr std::string_view out_of_memory_answer =
  "HTTP/1.1 503 Service Unavailable\r\n"
  "Connection: close\r\n"
  "Retry-After: 1\r\n"
  "Cache-Control: no-store\r\n"
  "X-Content-Type-Options: nosniff\r\n"
  "Content-Type: application/problem+json\r\n"
  "Content-Length: 106\r\n\r\n"
  R"({"type":"about:blank","title":"Out of memory","status":503,)"
  R"("detail":"there is no memory for this request"})";

} // namespace herald
