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

} // namespace herald
