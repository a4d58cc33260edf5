#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

namespace herald {

/// How a supervisor restarts its children, in Erlang/OTP's and Pekko's terms.
struct restart_options {
  /// At most this many restarts of one child ...
  std::size_t intensity = 10;
  /// ... within this time; one more escalates.
  std::chrono::milliseconds period{60'000};
  /// Before the first restart in a period; doubles with each further one ...
  std::chrono::milliseconds min_backoff{10};
  /// ... up to this.
  std::chrono::milliseconds max_backoff{5'000};
};

/// Decides about the restarts of one child. Pure: time is given in.
class restart_policy {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit restart_policy(const restart_options& options) : options_(options) {}

  struct decision {
    /// The intensity is exceeded: give up, the supervisor's own supervisor has to act.
    bool escalate = false;
    std::chrono::milliseconds backoff{0};
  };

  decision failed(time_point now);

  [[nodiscard]] std::size_t restarts() const noexcept { return restarts_; }

private:
  restart_options options_;
  std::deque<time_point> recent_;
  std::size_t restarts_ = 0;
};

} // namespace herald
