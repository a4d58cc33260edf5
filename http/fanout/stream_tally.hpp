#pragma once

#include <cstdint>

#include "http/fanout/frame_log.hpp"

namespace herald {

/// Counts all that a stream table has done; they only grow.
struct stream_tally {
  /// Writes of an event to a stream.
  frame_counts sent{};
  frame_counts failed{};
  /// Of `sent`: sent again to a stream that came back.
  std::uint64_t replayed = 0;
  std::uint64_t bytes = 0;
  /// Streams that were closed because the log had to overwrite what they had not read.
  std::uint64_t lagged = 0;
  /// Streams that were closed because too much waited for them alone.
  std::uint64_t overflowed = 0;
};

} // namespace herald
