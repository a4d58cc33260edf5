#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace herald {

/// Length of the UTF-8 sequence at the start of a text that is not empty (RFC 3629: no overlong
/// form, no surrogate, nothing above U+10FFFF); 0 if there is none.
[[nodiscard]] std::size_t utf8_sequence(std::string_view text);

/// Whether a text is made of such sequences alone.
[[nodiscard]] bool is_utf8(std::string_view text);

/// Whether a byte goes on with a sequence that another one has begun.
[[nodiscard]] constexpr bool is_utf8_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

/// Stands for a byte that is no part of a UTF-8 sequence: U+FFFD.
inline constexpr std::string_view utf8_replacement = "\xef\xbf\xbd";

/// `text` with each byte that is no UTF-8 replaced.
[[nodiscard]] std::string valid_utf8(std::string_view text);

/// `text` as valid UTF-8 of at most `max_bytes`: its front, or its end. No character is cut in two.
[[nodiscard]] std::string utf8_front(std::string_view text, std::size_t max_bytes);
[[nodiscard]] std::string utf8_end(std::string_view text, std::size_t max_bytes);

} // namespace herald
