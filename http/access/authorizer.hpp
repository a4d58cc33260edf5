#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/telemetry/metrics.hpp"
#include "http/access/authorize_answer.hpp"
#include "http/auth/auth_options.hpp"
#include "http/clients/curl_client.hpp"
#include "http/protocol/http_url.hpp"
#include "messages/connections.hpp"

namespace herald {

/// Asks the application who pages are (`auth.authorize_url`), a GET for each, over connections that
/// are kept: so many at once, and so many that wait, in their order. Redirects are not followed.
///
/// All functions are safe from any thread.
class authorizer {
public:
  /// Called once, on a thread of its own: it must not wait.
  using handler = std::function<void(authorize_verdict)>;
  using number = std::uint64_t;

  /// `auth.authorize_url` is one.
  authorizer(auth_options options, metrics& numbers);
  /// Questions that have no answer by then never get one.
  ~authorizer();
  authorizer(const authorizer&) = delete;
  authorizer& operator=(const authorizer&) = delete;

  /// Asks with these headers (`question_headers`). Nothing where there is no room for one more.
  [[nodiscard]] std::optional<number> ask(const header_list& headers, handler over);

  /// Nobody waits for the answer any longer, and its handler is not called, unless it is being
  /// called. A question that has not been put is not.
  void forget(number question);

private:
  using clock = std::chrono::steady_clock;

  struct question {
    std::vector<std::string> headers;
    std::size_t bytes = 0;
    clock::time_point begun;
    wall_time asked;
    /// Empty: nobody waits for the answer.
    handler over;
    bool alone = false;
  };

  void put(number which, question& what);
  [[nodiscard]] std::vector<question> put_next();
  void ended(number which, const curl_outcome& how);
  void conclude(const question& what, const curl_outcome& how);
  void count(const authorize_verdict& said, const curl_outcome& how);
  void tell_failure(const std::string& why);
  void show();

  const auth_options options_;
  const http_url url_;
  prometheus::Counter& granted_;
  prometheus::Counter& refused_;
  prometheus::Counter& timed_out_;
  prometheus::Counter& unreachable_;
  prometheus::Counter& bad_answers_;
  prometheus::Counter& no_room_;
  prometheus::Counter& given_up_;
  prometheus::Counter& opened_;
  prometheus::Gauge& failing_;
  prometheus::Gauge& shown_;
  prometheus::Gauge& shown_bytes_;
  prometheus::Histogram& duration_;

  std::mutex mutex_;
  /// By their numbers, which are their order.
  std::map<number, question> waiting_;
  std::map<number, question> under_way_;
  std::size_t bytes_ = 0;
  number last_ = 0;
  /// When a failure was logged last, and those since.
  std::optional<clock::time_point> logged_;
  std::size_t unlogged_ = 0;
  /// Last: its thread uses all else.
  curl_client client_;
};

} // namespace herald
