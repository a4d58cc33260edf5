#include "tests/bench/swarm/sse_reader.hpp"

#include <utility>

namespace herald::bench {

namespace {

/// The digits behind `key`; 0 if there are none.
std::uint64_t number_behind(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == text.npos)
    return 0;
  std::uint64_t number = 0;
  for (auto i = at + key.size(); i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
    number = number * 10 + static_cast<std::uint64_t>(text[i] - '0');
  return number;
}

} // namespace

std::optional<seen_event> sse_reader::line(std::string_view text) {
  if (text.empty()) {
    const auto done = std::exchange(event_, {});
    return done.has_data ? std::optional{done} : std::nullopt;
  }
  if (text.starts_with("data:"))
    data(text.substr(5));
  else if (text == "data")
    event_.has_data = true;
  else if (text == "event: lagged")
    event_.lagged = true;
  return std::nullopt;
}

void sse_reader::data(std::string_view text) {
  event_.has_data = true;
  if (event_.sent_at == 0)
    event_.sent_at = number_behind(text, "\"t\":");
  if (event_.number == 0)
    event_.number = number_behind(text, "\"seq\":");
}

} // namespace herald::bench
