#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tests/bench/swarm/clock.hpp"
#include "tests/bench/swarm/sequence_check.hpp"

namespace herald::bench {

/// One event as the load client sees it.
struct seen_event {
  /// What the event says about itself: `"t":` and `"seq":` of its data; 0 if it does not.
  nanos sent_at = 0;
  event_number number = 0;
  bool has_data = false;
  /// The server says by this one that the client reads too slowly.
  bool lagged = false;
};

/// Reads a text/event-stream line by line: what an event is made of so far. One per stream, so it
/// holds no text. Lines end in LF or CR LF.
class sse_reader {
public:
  /// Reads one line without its line end. The event, where the line ended one.
  std::optional<seen_event> line(std::string_view text);

  [[nodiscard]] static bool is_comment(std::string_view line) { return line.starts_with(':'); }

private:
  void data(std::string_view text);

  seen_event event_;
};

/// Hands the complete lines of `bytes` to `on_line`; gives how many bytes they were.
template <class OnLine>
std::size_t for_each_line(std::string_view bytes, OnLine on_line) {
  std::size_t used = 0;
  for (auto end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n', used)) {
    auto line = bytes.substr(used, end - used);
    used = end + 1;
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    on_line(line);
  }
  return used;
}

} // namespace herald::bench
