#include "messages/text/iso_time.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace herald {

std::string iso_time(wall_time time) {
  using namespace std::chrono;
  const auto since = floor<milliseconds>(time.time_since_epoch());
  const auto whole = floor<seconds>(since);
  const std::time_t seconds_since = whole.count();
  std::tm utc{};
  gmtime_r(&seconds_since, &utc);
  std::array<char, 40> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(
    text.data() + length, text.size() - length, ".%03dZ",
    static_cast<int>((since - whole).count()));
  return text.data();
}

} // namespace herald
