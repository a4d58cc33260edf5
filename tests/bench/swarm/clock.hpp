#pragma once

#include <chrono>
#include <cstdint>

namespace herald::bench {

/// A point on the monotonic clock, or a length of time, in nanoseconds. Travels inside of events.
using nanos = std::uint64_t;

inline constexpr nanos second = 1'000'000'000;

inline nanos now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<nanos>(std::chrono::nanoseconds{since}.count());
}

inline nanos from_seconds(double seconds) {
  return static_cast<nanos>(seconds * 1e9);
}

inline double to_seconds(nanos t) {
  return static_cast<double>(t) / 1e9;
}

} // namespace herald::bench
