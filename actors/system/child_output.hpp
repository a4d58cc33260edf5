#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "messages/text/utf8.hpp"

namespace herald {

/// Cuts a stream of bytes into lines, in bounded space: a line that is too long is dropped whole.
class line_splitter {
public:
  explicit line_splitter(std::size_t max_line) : max_line_(max_line) {}

  /// Calls `take(std::string_view line)` for each line that is complete now, without its line
  /// break.
  template <class Take>
  void feed(std::string_view bytes, Take&& take) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      append(bytes.substr(0, end));
      if (end == std::string_view::npos)
        return;
      bytes.remove_prefix(end + 1);
      flush(take);
    }
  }

  /// At the end of the stream: the last line needs no line break.
  template <class Take>
  void flush(Take&& take) {
    if (too_long_)
      ++dropped_;
    else if (!line_.empty())
      take(std::string_view{line_});
    line_.clear();
    too_long_ = false;
  }

  /// Lines that were too long.
  [[nodiscard]] std::size_t dropped() const noexcept { return dropped_; }

private:
  void append(std::string_view part) {
    if (too_long_ || line_.size() + part.size() > max_line_) {
      too_long_ = true;
      line_.clear();
      return;
    }
    line_.append(part);
  }

  std::size_t max_line_;
  std::string line_;
  bool too_long_ = false;
  std::size_t dropped_ = 0;
};

/// Keeps the last bytes of a stream.
class stream_tail {
public:
  explicit stream_tail(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  void feed(std::string_view bytes) {
    kept_.append(bytes);
    // Twice the limit before it is cut, so that many small pieces cost no moving each.
    if (kept_.size() > 2 * max_bytes_)
      cut();
  }

  /// Starts with no half of a UTF-8 character, where it was cut.
  [[nodiscard]] std::string_view text() {
    cut();
    std::string_view all{kept_};
    for (int i = 0; cut_ && i < 3 && !all.empty() && is_utf8_continuation(all.front()); ++i)
      all.remove_prefix(1);
    return all;
  }

private:
  void cut() {
    if (kept_.size() <= max_bytes_)
      return;
    kept_.erase(0, kept_.size() - max_bytes_);
    cut_ = true;
  }

  std::size_t max_bytes_;
  std::string kept_;
  bool cut_ = false;
};

} // namespace herald
