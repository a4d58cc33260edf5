#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "messages/journal.hpp"

namespace herald {

/// Times as the journal stores them: microseconds since 1970.
[[nodiscard]] inline std::int64_t stored_time(wall_time at) {
  return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
}

/// The last time, in the year 2262, that the clock can say.
inline constexpr std::int64_t last_stored_time =
  std::chrono::duration_cast<std::chrono::microseconds>(wall_time::duration::max()).count();

[[nodiscard]] constexpr bool is_stored_time(std::int64_t micros) {
  return micros >= 0 && micros <= last_stored_time;
}

/// The nearest time that there is, of what may have been damaged on the disk.
[[nodiscard]] inline wall_time from_stored_time(std::int64_t micros) {
  return wall_time{
    std::chrono::microseconds{std::clamp<std::int64_t>(micros, 0, last_stored_time)}};
}

} // namespace herald
