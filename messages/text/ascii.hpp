#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace herald {

/// The lower case of an ASCII letter; any other byte as it is, whatever the locale.
[[nodiscard]] constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string ascii_lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    c = ascii_lower(c);
  return result;
}

/// Whether two texts are the same but for the case of their ASCII letters, as names of HTTP headers
/// are compared (RFC 9110 section 5.1).
[[nodiscard]] inline bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return ascii_lower(x) == ascii_lower(y);
  });
}

} // namespace herald
