#pragma once

#include <atomic>
#include <cstdint>

namespace herald::bench {

/// How the streams of all threads stand.
struct stream_counts {
  enum class stage : std::uint8_t {
    /// Opening, then reading.
    running,
    /// No more churn; slow readers take what is left for them.
    draining,
    over,
  };

  std::atomic<stage> now = stage::running;
  /// Streams that were not tried to be opened to the end.
  std::atomic<std::uint64_t> untried = 0;
  std::atomic<std::uint64_t> in_flight = 0;

  std::atomic<std::uint64_t> open = 0;
  std::atomic<std::uint64_t> opened = 0;
  std::atomic<std::uint64_t> reopened = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> ended_by_server = 0;
  /// Ended with `event: lagged`, be they meant to be slow or not.
  std::atomic<std::uint64_t> lagged = 0;
};

} // namespace herald::bench
