#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace herald::fuzz {

/// Takes an input apart: small numbers off its front, the rest as text.
class input_reader {
public:
  explicit input_reader(std::string_view input) : rest_(input) {}

  /// 0 where nothing is left.
  std::uint8_t byte() {
    if (rest_.empty())
      return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }

  /// Up to the first byte `end`, which is dropped; all if there is none.
  std::string_view until(char end) {
    const auto size = std::min(rest_.find(end), rest_.size());
    const auto part = rest_.substr(0, size);
    rest_.remove_prefix(std::min(size + 1, rest_.size()));
    return part;
  }

private:
  std::string_view rest_;
};

/// Feeds a text in pieces of which the first `seed` decides the sizes: 1 to 16 bytes.
template <class Feed>
void in_pieces(std::string_view text, std::uint8_t seed, Feed feed) {
  std::uint32_t state = seed + 1U;
  while (!text.empty()) {
    state = state * 1664525U + 1013904223U;
    const auto size = std::min<std::size_t>(1 + (state >> 28U), text.size());
    if (!feed(text.substr(0, size)))
      return;
    text.remove_prefix(size);
  }
}

} // namespace herald::fuzz
