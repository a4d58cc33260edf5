#pragma once

#include <cstddef>

namespace herald {

/// How many topics may have a last value (settings `retain`).
struct retention_limits {
  /// 0 keeps none.
  std::size_t max_topics = 10'000;
  /// Names, data, topics, and what keeping a value costs besides.
  std::size_t max_bytes = std::size_t{16} << 20U;
  /// Values that a stream gets at once; one that would hear more is told so.
  std::size_t max_replay = 1000;
};

} // namespace herald
