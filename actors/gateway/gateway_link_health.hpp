#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "actors/gateway/gateway_link.hpp"
#include "actors/gateway/gateway_options.hpp"
#include "actors/system/random_source.hpp"

namespace herald {

/// Whether the gateway is there, as far as the sends of one shard tell, and how long to leave it
/// alone where it is not. Pure.
class gateway_link_health {
public:
  using time_point = std::chrono::steady_clock::time_point;
  enum class change : std::uint8_t { none, down, up };

  /// Both must outlive it.
  gateway_link_health(const gateway_options& options, const random_source& random)
    : options_(options),
      random_(random) {}

  /// A send has ended. The gateway is down after one that was unreachable, or two in a row that
  /// timed out (one may be the fault of its stream). It is up again with the first answer, whatever
  /// that says of the stream.
  change sent(send_result result, time_point now) {
    if (result == send_result::failing || (result == send_result::timed_out && time_outs_ == 0)) {
      time_outs_ = result == send_result::timed_out ? 1 : 0;
      return change::none;
    }
    if (result == send_result::timed_out || result == send_result::unreachable) {
      paused_until_ = now + pause(failures_++);
      return std::exchange(down_, true) ? change::none : change::down;
    }
    time_outs_ = 0;
    failures_ = 0;
    if (!std::exchange(down_, false))
      return change::none;
    back_since_ = now;
    return change::up;
  }

  /// The gateway has called herald: the pause is over.
  void called(time_point now) { paused_until_ = std::min(paused_until_, now); }

  [[nodiscard]] bool down() const noexcept { return down_; }
  /// No send before this.
  [[nodiscard]] time_point paused_until() const noexcept { return paused_until_; }
  /// When the gateway came back last: it may have forgotten streams that were sent to before.
  [[nodiscard]] time_point back_since() const noexcept { return back_since_; }

  /// How long to wait with the next try after so many failures in a row, the last one aside:
  /// doubles from one to the next.
  [[nodiscard]] std::chrono::steady_clock::duration pause(unsigned failures) const {
    const auto doubled = options_.min_backoff * (std::int64_t{1} << std::min(failures, 20U));
    const std::chrono::duration<double> full = std::min(doubled, options_.max_backoff);
    return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      full * (1.0 - options_.random_factor * random_()));
  }

private:
  const gateway_options& options_;
  const random_source& random_;
  bool down_ = false;
  unsigned failures_ = 0;
  unsigned time_outs_ = 0;
  time_point paused_until_;
  time_point back_since_;
};

} // namespace herald
