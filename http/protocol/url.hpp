#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace herald {

/// Decodes `%41`; nothing if an escape is broken.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

/// Decodes a form value: `%41`, and `+` for a space (WHATWG URL,
/// application/x-www-form-urlencoded).
[[nodiscard]] std::optional<std::string> form_decode(std::string_view text);

/// A request target taken apart, without decoding: "/a/b?x=1" is path "/a/b" and query "x=1". A
/// fragment, which no client should send, ends the target. An absolute-form target
/// ("http://host/a?x", RFC 9112 section 3.2.2) loses its scheme and authority.
struct request_target {
  std::string_view path;
  std::string_view query;
};

[[nodiscard]] request_target split_target(std::string_view target);

/// An argument of a query, form-decoded.
struct query_argument {
  /// As sent where an escape in it is broken.
  std::string name;
  /// Nothing where an escape in the argument is broken.
  std::optional<std::string> value;
};

/// All arguments of a query in their order, repeated and broken ones included; none without a name.
[[nodiscard]] std::vector<query_argument> query_arguments(std::string_view query);

/// The arguments of a query, form-decoded; the first of a repeated name counts, one with a broken
/// escape is left out.
[[nodiscard]] std::map<std::string, std::string> parse_query(std::string_view query);

} // namespace herald
