#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/protocol/api_message.hpp"

namespace herald {

/// What a route takes beside its path and its body, and how it is served.
struct route_input {
  /// The parameters of its query. Others, and one that comes twice, are refused before the handler.
  std::vector<std::string> parameters;
  /// The path belongs to the protocol of another, which says what is taken: nothing is refused.
  bool foreign = false;
  /// Whether the one who asks is to be answered whatever else goes on: threads and connections are
  /// reserved for it.
  bool reserved = false;
  /// Of `parameters`: the one that may come more than once.
  std::string_view repeatable = {};
};

inline const route_input no_parameters{};
inline const route_input foreign_protocol{{}, true};
inline const route_input reserved_route{{}, false, true};

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
    route_input takes;
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
  void add(std::string method, std::string pattern, route_input takes, handler answer);

  /// Gives all answers of routes this header. Its value is made before the handler runs, which may
  /// give the header another.
  void add_header(std::string name, std::function<std::string()> value) {
    headers_.emplace_back(std::move(name), std::move(value));
  }
  /// The headers of an answer to a request that comes now.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> headers() const;

  /// HEAD finds the route of GET.
  [[nodiscard]] match find(std::string_view method, std::string_view path) const;

  [[nodiscard]] const std::vector<route>& routes() const noexcept { return routes_; }

private:
  std::vector<route> routes_;
  std::vector<std::pair<std::string, std::function<std::string()>>> headers_;
};

} // namespace herald
