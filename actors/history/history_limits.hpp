#pragma once

#include <chrono>
#include <cstddef>

namespace herald {

/// How much of the past is kept for streams that come back (settings `history`); each limit alone
/// evicts the oldest.
struct history_limits {
  /// 0 keeps nothing.
  std::size_t max_events = 10'000;
  /// Names and data, and what keeping an event costs besides.
  std::size_t max_bytes = std::size_t{16} << 20U;
  std::chrono::milliseconds max_age_s{300'000};
};

} // namespace herald
