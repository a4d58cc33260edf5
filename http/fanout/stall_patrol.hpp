#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include <prometheus/counter.h>

#include "http/fanout/stall_detector.hpp"
#include "http/fanout/stream_table.hpp"

namespace herald {

/// Drops the streams of a table that stand still, as a `stall_detector` finds them. It walks over
/// the table round by round, a slice at a time. For one thread.
///
/// The kernel keeps trying to tell their clients for a while (`listen_on`): a page that comes
/// within reach again gets the rest and the end, and comes back.
class stall_patrol {
public:
  using time_point = stall_detector::time_point;
  /// How far the stream over this descriptor has come: `tcp_progress_of`.
  using progress_reader = std::optional<tcp_progress> (*)(int fd);

  /// Streams that are looked at in one go: some 0.6 ms.
  static constexpr std::size_t slice = 512;

  /// `given_up` counts the streams that are dropped, each before anybody is told of it.
  stall_patrol(
    std::chrono::milliseconds give_up_after, stream_table& table, prometheus::Counter& given_up,
    progress_reader progress_of);

  /// From one slice to the next.
  [[nodiscard]] std::chrono::milliseconds pause() const;
  /// Looks at the next slice of streams.
  void walk(time_point now);
  /// The stream in this slot has ended.
  void ended(stream_slot slot) { stalls_.reset(slot); }

private:
  const std::chrono::milliseconds round_;
  stream_table& table_;
  prometheus::Counter& given_up_;
  const progress_reader progress_of_;
  stall_detector stalls_;
  stream_slot next_ = 0;
};

} // namespace herald
