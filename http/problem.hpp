#pragma once

#include <caf/error.hpp>

#include "http/router.hpp"
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

/// A problem document (RFC 9457): `title`, `status`, `detail`, and `field` where one is to blame.
[[nodiscard]] std::string problem_body(const failure& what);

/// A problem document as the answer to an API request. 503 comes with `Retry-After`.
[[nodiscard]] api_reply problem(const failure& what);
[[nodiscard]] api_reply problem(const caf::error& error);

} // namespace herald
