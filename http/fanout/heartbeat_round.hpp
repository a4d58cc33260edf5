#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

#include "http/fanout/stream_table.hpp"

namespace herald {

/// When which slots of a table are due for a heartbeat. They are due a slice at a time, spread over
/// the interval: all at once would take a loop's time for seconds, and all loops at the same
/// moment.
///
/// Every slot is due once in each interval, a slice always at the same distance from its start. So
/// no stream waits for longer, whenever it has opened. Where all were told something, nobody is due
/// in the first half of the interval behind that, and all within the second: events that come
/// faster leave no heartbeats between them. The first round that follows begins with the interval
/// behind the event, or the second would come too late for the slots at the front.
///
/// Knows no streams and no clock. For one thread.
class heartbeat_round {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = time_point::duration;

  /// Slots that are due together: two bursts of sends.
  static constexpr std::size_t slice_slots = 128;

  struct slice {
    stream_slot begin = 0;
    stream_slot end = 0;
    /// The first of its round, and the last. The only one is both.
    bool first = false;
    bool last = false;
  };

  /// The first round begins with `now`. `interval` is not 0.
  heartbeat_round(duration interval, time_point now)
    : interval_(interval),
      begin_(now),
      length_(interval) {}

  /// All streams were told something: the round begins anew.
  void told(time_point at) noexcept {
    next_ = 0;
    length_ = interval_ - interval_ / 2;
    begin_ = at + interval_ / 2;
  }

  /// When the next slice of so many slots is due.
  [[nodiscard]] time_point due(std::size_t slots) const noexcept {
    return begin_
           + length_ * static_cast<duration::rep>(next_ + 1)
               / static_cast<duration::rep>(slices(slots));
  }

  /// The next slice of so many slots, if it is due. A round that has come to its end is followed by
  /// the next one. Slots do not become fewer.
  [[nodiscard]] std::optional<slice> next(time_point now, std::size_t slots) noexcept {
    if (due(slots) > now)
      return std::nullopt;
    slice found;
    found.begin = static_cast<stream_slot>(next_ * slice_slots);
    found.first = next_ == 0;
    found.end = static_cast<stream_slot>(std::min((++next_) * slice_slots, slots));
    found.last = next_ >= slices(slots);
    if (found.last)
      begin_next(now);
    return found;
  }

private:
  [[nodiscard]] static std::size_t slices(std::size_t slots) noexcept {
    return std::max<std::size_t>((slots + slice_slots - 1) / slice_slots, 1);
  }

  /// A loop that is late by more than a round leaves out what it cannot make up for.
  void begin_next(time_point now) noexcept {
    next_ = 0;
    begin_ = std::max(begin_ + length_, now - interval_);
    length_ = interval_;
  }

  duration interval_;
  time_point begin_;
  duration length_;
  /// Of the round that is under way: slices that were due.
  std::size_t next_ = 0;
};

} // namespace herald
