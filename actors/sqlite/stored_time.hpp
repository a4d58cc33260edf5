#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>

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

/// Now, as files beside the journal have it in their names: 20261129T004800Z.
[[nodiscard]] inline std::string file_timestamp() {
  const auto now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return text.data();
}

} // namespace herald
