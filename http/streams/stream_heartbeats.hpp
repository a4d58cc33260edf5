#pragma once

#include <array>
#include <chrono>

#include "http/fanout/heartbeat_round.hpp"
#include "http/fanout/heartbeat_watchers.hpp"
#include "http/fanout/stream_feed.hpp"
#include "http/fanout/stream_table.hpp"

namespace herald {

/// The heartbeats of a loop's streams, a slice of them at a time: comments on streams that were
/// told nothing in common for the interval, and events for pages that watch them, quiet or not.
/// Streams that hear broadcasts and those that do not are quiet at different times.
///
/// Knows no socket and no clock. For one thread.
class stream_heartbeats {
public:
  using time_point = heartbeat_round::time_point;

  struct rules {
    /// Not 0.
    std::chrono::milliseconds interval{};
    /// All streams get the event, and no comments.
    bool as_event = false;
    /// An empty line follows comments.
    bool ended = false;
  };

  stream_heartbeats(const rules& how, stream_table& table, stream_feed& feed, time_point now);

  /// The page of the stream in this slot watches its heartbeats.
  void watch(stream_slot slot) { watchers_.add(slot); }
  /// The stream in this slot has ended.
  void ended(stream_slot slot) { watchers_.remove(slot); }

  /// When a slice is due.
  [[nodiscard]] time_point due();
  /// Gives the slices that are due their heartbeats, at most one of each kind. True if a slice of
  /// the table has something to send then.
  bool beat(time_point now);

private:
  void note_frames();
  bool beat_all(hearing who, time_point now);
  bool beat_watchers(time_point now);

  const rules rules_;
  stream_table& table_;
  stream_feed& feed_;
  heartbeat_watchers watchers_;
  /// By `hearing`.
  std::array<heartbeat_round, hearing_count> rounds_;
  std::array<time_point, hearing_count> noted_;
  heartbeat_round watched_;
};

} // namespace herald
