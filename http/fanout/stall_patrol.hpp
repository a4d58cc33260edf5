#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include <prometheus/counter.h>

#include "http/fanout/stall_detector.hpp"
#include "http/fanout/stream_table.hpp"

namespace herald {

/// What the kernel knows of a stream over its descriptor.
struct progress_readers {
  std::optional<tcp_progress> (*progress)(int fd) = &tcp_progress_of;
  bool (*outstanding)(int fd) = &is_outstanding;
};

/// Drops the streams of a table that stand still, as a `stall_detector` finds them. It walks over
/// the table round by round, a slice at a time, and asks about those streams that were sent
/// something which they may not have acknowledged: about one that is quiet once for each heartbeat.
/// Where heartbeats are rare, all are asked once in `give_up_after`, an equal part in each round:
/// of one that is sent nothing the kernel's probes alone find out that its client is gone. For one
/// thread.
///
/// The kernel keeps trying to tell their clients for a while (`listen_on`): a page that comes
/// within reach again gets the rest and the end, and comes back.
class stall_patrol {
public:
  using time_point = stall_detector::time_point;

  /// Slots that are looked at in one go: 0.6 ms where all are asked.
  static constexpr std::size_t slice = 512;

  /// `given_up` counts the streams that are dropped, each before anybody is told of it. Every
  /// stream is sent something in each `heartbeat`; 0: not even that.
  stall_patrol(
    std::chrono::milliseconds give_up_after, std::chrono::milliseconds heartbeat,
    stream_table& table, prometheus::Counter& given_up, progress_readers ask = {});

  /// From one slice to the next.
  [[nodiscard]] std::chrono::milliseconds pause() const;
  /// Looks at the next slice of streams.
  void walk(time_point now);
  /// The stream in this slot has ended.
  void ended(stream_slot slot) { stalls_.reset(slot); }

private:
  [[nodiscard]] bool moves(stream_slot slot, int fd);

  const std::chrono::milliseconds round_;
  /// Those are asked, too, that were sent nothing.
  const bool asks_all_;
  stream_table& table_;
  prometheus::Counter& given_up_;
  const progress_readers ask_;
  stall_detector stalls_;
  stream_slot next_ = 0;
  /// Rounds that have begun.
  std::size_t walks_ = 0;
};

} // namespace herald
