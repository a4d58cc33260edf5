#include "messages/ids.hpp"

#include <algorithm>
#include <charconv>

#include "messages/text/utf8.hpp"

namespace herald {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t uuid_length = 36;

constexpr bool is_dash_position(std::size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

/// The 128 bits of a canonical UUID text, high half first.
std::optional<std::array<std::uint64_t, 2>> parse_uuid(std::string_view text) {
  if (text.size() != uuid_length)
    return std::nullopt;
  std::array<std::uint64_t, 2> halves{};
  std::size_t digits = 0;
  for (std::size_t i = 0; i < uuid_length; ++i) {
    if (is_dash_position(i)) {
      if (text[i] != '-')
        return std::nullopt;
      continue;
    }
    const auto value = hex_digits.find(text[i]);
    if (value == std::string_view::npos)
      return std::nullopt;
    auto& half = halves.at(digits / 16);
    half = (half << 4) | value;
    ++digits;
  }
  return halves;
}

} // namespace

std::optional<std::string_view> request_id_violation(std::string_view text) {
  if (text.empty())
    return "must not be empty";
  if (text.size() > max_request_id_bytes)
    return "must be at most 128 bytes";
  if (text.find(':') != std::string_view::npos)
    return "must not contain a colon";
  const auto is_control = [](unsigned char c) {
    return c < 0x20 || c == 0x7f;
  };
  if (std::any_of(text.begin(), text.end(), is_control))
    return "must not contain a control character";
  if (!is_utf8(text))
    return "must be UTF-8";
  return std::nullopt;
}

token token::from_text(std::string_view text) {
  token result;
  if (const auto bits = parse_uuid(text)) {
    result.high_ = (*bits)[0];
    result.low_ = (*bits)[1];
  } else {
    result.foreign_.reset(new foreign_text{text});
  }
  return result;
}

token token::from_bits(std::uint64_t high, std::uint64_t low) noexcept {
  token result;
  result.high_ = high;
  result.low_ = low;
  return result;
}

std::string token::str() const {
  if (foreign_)
    return foreign_->text;
  std::string text(uuid_length, '-');
  std::size_t digits = 0;
  for (std::size_t i = 0; i < uuid_length; ++i) {
    if (is_dash_position(i))
      continue;
    const auto half = digits < 16 ? high_ : low_;
    text[i] = hex_digits[(half >> (60 - 4 * (digits % 16))) & 0xf];
    ++digits;
  }
  return text;
}

std::size_t token::hash() const noexcept {
  if (foreign_)
    return std::hash<std::string>{}(foreign_->text);
  return static_cast<std::size_t>(high_ ^ (low_ * 0x9e3779b97f4a7c15U));
}

bool operator==(const token& a, const token& b) noexcept {
  if (a.foreign_ && b.foreign_)
    return a.foreign_->text == b.foreign_->text;
  return !a.foreign_ && !b.foreign_ && a.high_ == b.high_ && a.low_ == b.low_;
}

std::string to_string(event_id id) {
  return std::to_string(id.value);
}

std::optional<event_id> parse_event_id(std::string_view text) {
  event_id id;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, id.value);
  if (error != std::errc{} || rest != end || to_string(id) != text)
    return std::nullopt;
  return id;
}

} // namespace herald
