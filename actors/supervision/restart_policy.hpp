#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <string>

#include "actors/supervision/supervision_options.hpp"
#include "actors/system/random_source.hpp"

namespace herald {

/// Decides what becomes of the failed children of one supervisor, in the terms of Erlang/OTP
/// (intensity, restart types) and Pekko (backoff). Pure: time and chance are given in.
class restart_policy {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = std::chrono::steady_clock::duration;

  restart_policy(std::size_t intensity, std::chrono::milliseconds period, random_source random);

  enum class verdict : std::uint8_t {
    restart,  ///< after the backoff
    leave,    ///< it stays stopped, the others go on
    escalate, ///< the intensity is exceeded: the supervisor's own supervisor has to act
  };
  struct decision {
    verdict what = verdict::restart;
    duration backoff{0};
  };

  /// A child has failed. Restarts of all children count together. One whose state is damaged is not
  /// restarted: it would fail likewise.
  [[nodiscard]] decision failed(
    const std::string& child, const child_options& options, time_point now, bool damaged = false);

private:
  /// Failures of one child that followed each other closely.
  struct row {
    std::size_t length = 0;
    time_point restarted;
  };

  duration backoff(const std::string& child, const child_options& options, time_point now);

  std::size_t intensity_;
  std::chrono::milliseconds period_;
  random_source random_;
  /// Within the period.
  std::deque<time_point> restarts_;
  std::map<std::string, row> rows_;
};

} // namespace herald
