#pragma once

#include <chrono>
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
  /// What is made has its name from the key of the request, if that has one.
  bool planned = false;
  /// Its answer is a secret, which nobody keeps for a retry: a key of the request is ignored.
  bool unkeyed = false;
  /// How long its handler may take with a request; empty: no longer than for an answer of one actor
  /// (`ask_deadline`).
  std::function<std::chrono::milliseconds(const api_request&)> longest = {};
};

inline const route_input no_parameters{};
inline const route_input foreign_protocol{{}, true};
inline const route_input reserved_route{{}, false, true};
inline const route_input planned_route{{}, false, false, {}, true};
inline const route_input unkeyed_route{{}, false, false, {}, false, true};

/// Knows which handler answers which method and path. Filled before the server starts, then only
/// read, from many threads at once.
class router {
public:
  /// Runs on a thread of the HTTP server; may wait for an actor (`ask`) and, where a limit of its
  /// own leaves others their threads, for somebody's answer (`callback_access`). For no longer than
  /// its route says.
  using handler = std::function<api_reply(const api_request&)>;

  struct route {
    std::string method;
    /// e.g. "/api/tasks/{id}/cancel". Labels metrics, so patterns are few and fixed.
    std::string pattern;
    route_input takes;
    handler answer;
  };

  using header_list = std::vector<std::pair<std::string, std::string>>;

  /// Answers a request with an `Idempotency-Key`: by `carry_out`, which gives it the headers, or as
  /// it was answered before.
  using keyed_handler = std::function<api_reply(
    api_request&, const route&, const header_list& headers,
    const std::function<api_reply(const api_request&)>& carry_out)>;

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
  [[nodiscard]] header_list headers() const;

  /// POST requests with a key, of routes that are neither `foreign` nor `unkeyed`, are answered by
  /// this.
  void set_keyed(keyed_handler answer) { keyed_ = std::move(answer); }
  /// Empty: keys are ignored.
  [[nodiscard]] const keyed_handler& keyed() const noexcept { return keyed_; }

  /// HEAD finds the route of GET.
  [[nodiscard]] match find(std::string_view method, std::string_view path) const;

  [[nodiscard]] const std::vector<route>& routes() const noexcept { return routes_; }

private:
  std::vector<route> routes_;
  std::vector<std::pair<std::string, std::function<std::string()>>> headers_;
  keyed_handler keyed_;
};

} // namespace herald
