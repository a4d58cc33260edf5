#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace herald {

struct api_caller;
struct claimed_key;

/// An API request as handlers see it: routed, its body complete, within its limits and not encoded.
struct api_request {
  std::string method;
  /// Without the query; percent-encoding as sent.
  std::string path;
  std::string body;
  /// The media type of `Content-Type` in lower case, without parameters; empty if there is none.
  std::string content_type;
  /// The `{...}` of the route's pattern in their order, percent-decoded.
  std::vector<std::string> path_arguments;
  /// Form-decoded; the first of a repeated name counts.
  std::map<std::string, std::string> query;
  /// The query as sent.
  std::string raw_query = {};
  /// The header `Idempotency-Key`; several of them joined by ", ", as HTTP has it.
  std::optional<std::string> idempotency_key = std::nullopt;
  /// Null where the request has no key.
  std::shared_ptr<const claimed_key> once = nullptr;
  /// Who asks; null where nobody is asked who they are.
  std::shared_ptr<const api_caller> by = nullptr;

  /// A query argument, or nothing.
  [[nodiscard]] std::optional<std::string> argument(const std::string& name) const {
    const auto found = query.find(name);
    if (found == query.end())
      return std::nullopt;
    return found->second;
  }
};

/// What a handler answers.
struct api_reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
};

} // namespace herald
