#include "http/protocol/http_date.hpp"

#include <array>

namespace herald {

std::string http_date(std::time_t moment) {
  std::tm parts{};
  ::gmtime_r(&moment, &parts);
  std::array<char, 32> text{};
  // herald stays in the "C" locale.
  const auto length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), length};
}

std::string_view http_date_now() {
  thread_local std::time_t made = 0;
  thread_local std::string text;
  if (const auto now = std::time(nullptr); now != made || text.empty()) {
    text = http_date(now);
    made = now;
  }
  return text;
}

} // namespace herald
