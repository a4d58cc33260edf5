#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace herald {

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

/// Knows which handler answers which method and path. Filled before the server starts, then only
/// read, from many threads at once.
class router {
public:
  /// Runs on a thread of the HTTP server; may wait for an actor (`ask`), nothing else.
  using handler = std::function<api_reply(const api_request&)>;

  struct route {
    std::string method;
    /// e.g. "/api/tasks/{id}/cancel". Labels metrics, so patterns are few and fixed.
    std::string pattern;
    handler answer;
  };

  struct match {
    /// The route, or null.
    const route* found = nullptr;
    std::vector<std::string> path_arguments;
    /// Methods that the path does have, in the order of their routes; empty for an unknown path.
    std::vector<std::string> allowed;
  };

  /// A pattern segment in braces matches one non-empty path segment. Fixed segments win over
  /// braces.
  void add(std::string method, std::string pattern, handler answer);

  /// HEAD finds the route of GET.
  [[nodiscard]] match find(std::string_view method, std::string_view path) const;

  [[nodiscard]] const std::vector<route>& routes() const noexcept { return routes_; }

private:
  std::vector<route> routes_;
};

} // namespace herald
