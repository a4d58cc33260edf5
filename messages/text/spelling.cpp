#include "messages/text/spelling.hpp"

#include <algorithm>
#include <cassert>
#include <cctype>

namespace herald {

namespace {

/// Nobody means a key with this; it bounds the work that a senseless one costs.
constexpr std::size_t longest_compared = 128;

std::string normalised(std::string_view text) {
  std::string result{text.substr(0, longest_compared)};
  for (auto& c : result)
    c = c == '-' || c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table of distances between the beginnings of both texts.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

const std::string&
closest_spelling(std::string_view wanted, const std::vector<std::string>& candidates) {
  assert(!candidates.empty());
  const auto text = normalised(wanted);
  const auto* best = &candidates.front();
  auto best_distance = edit_distance(text, normalised(*best));
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(text, normalised(candidate));
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return *best;
}

} // namespace herald
