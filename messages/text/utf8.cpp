#include "messages/text/utf8.hpp"

namespace herald {

std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const auto first = byte(0);
  if (first < 0x80)
    return 1;
  const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length == 0 || first > 0xf4 || text.size() < length)
    return 0;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (first == 0xe0)
    low = 0xa0;
  else if (first == 0xed)
    high = 0x9f;
  else if (first == 0xf0)
    low = 0x90;
  else if (first == 0xf4)
    high = 0x8f;
  if (byte(1) < low || byte(1) > high)
    return 0;
  for (std::size_t i = 2; i < length; ++i)
    if (!is_utf8_continuation(text[i]))
      return 0;
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_sequence(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_sequence(text);
    valid += length == 0 ? utf8_replacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

std::string utf8_front(std::string_view text, std::size_t max_bytes) {
  auto valid = valid_utf8(text);
  if (valid.size() <= max_bytes)
    return valid;
  auto end = max_bytes;
  while (end > 0 && is_utf8_continuation(valid[end]))
    --end;
  valid.resize(end);
  return valid;
}

std::string utf8_end(std::string_view text, std::size_t max_bytes) {
  auto valid = valid_utf8(text);
  if (valid.size() <= max_bytes)
    return valid;
  auto start = valid.size() - max_bytes;
  while (start < valid.size() && is_utf8_continuation(valid[start]))
    ++start;
  return valid.substr(start);
}

} // namespace herald
