#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace herald {

/// How the frames of a stream are told apart from the end of it.
enum class framing : std::uint8_t {
  /// Frames as they are; the stream ends with its connection. For HTTP/1.0.
  bare,
  /// Each frame is a chunk (RFC 9112 section 7.1): its size in hex, CR LF, the frame, CR LF. A
  /// stream that ends in order ends with `last_chunk`.
  chunked,
};
inline constexpr std::size_t framing_count = 2;

inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// What goes before and behind a frame of so many bytes. Nothing goes around an empty one: a chunk
/// without bytes would be the last.
class frame_cover {
public:
  frame_cover(framing how, std::size_t frame) {
    if (how == framing::bare || frame == 0)
      return;
    auto* const end = std::to_chars(head_.data(), head_.data() + most_digits, frame, 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    head_size_ = static_cast<std::size_t>(end - head_.data()) + line_end.size();
  }

  [[nodiscard]] std::string_view head() const noexcept { return {head_.data(), head_size_}; }
  [[nodiscard]] std::string_view tail() const noexcept {
    return head_size_ == 0 ? std::string_view{} : line_end;
  }
  [[nodiscard]] std::size_t size() const noexcept { return head().size() + tail().size(); }

private:
  static constexpr std::string_view line_end = "\r\n";
  static constexpr std::size_t most_digits = 2 * sizeof(std::size_t);

  std::array<char, most_digits + line_end.size()> head_; // NOLINT: written up to its size
  std::size_t head_size_ = 0;
};

/// Appends a frame as streams of that framing get it.
inline void append_framed(std::string& out, framing how, std::string_view frame) {
  const frame_cover cover{how, frame.size()};
  out.reserve(out.size() + frame.size() + cover.size());
  out.append(cover.head()).append(frame).append(cover.tail());
}

} // namespace herald
