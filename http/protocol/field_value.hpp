#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

/// Values of header fields as far as many have the same form (RFC 9110 section 5.6).
namespace herald {

/// A text without the optional white space around it.
[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// What stands between the commas of a list, trimmed; one element at least. Empty elements are
/// among them. A comma in quotes is one like all others.
[[nodiscard]] inline std::vector<std::string_view> list_elements(std::string_view list) {
  std::vector<std::string_view> elements;
  elements.reserve(static_cast<std::size_t>(std::count(list.begin(), list.end(), ',')) + 1);
  for (auto comma = list.find(','); comma != std::string_view::npos; comma = list.find(',')) {
    elements.push_back(trimmed(list.substr(0, comma)));
    list.remove_prefix(comma + 1);
  }
  elements.push_back(trimmed(list));
  return elements;
}

} // namespace herald
