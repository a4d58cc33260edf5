#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "http/fanout/frame_log.hpp"
#include "http/fanout/framing.hpp"
#include "http/fanout/sse_format.hpp"
#include "messages/formats.hpp"
#include "messages/history.hpp"

namespace herald {

/// The events that a stream has missed, as frames. They are rendered piece by piece while the
/// stream takes them; a piece that it cannot take yet is dropped and rendered anew, so that a
/// stream that waits holds no copy of the history.
class replay {
public:
  /// `what` must not be empty. A piece ends with the event that takes it to `piece_bytes`, and is
  /// one frame; behind the last event stands the id from which the stream is live, unless that is
  /// 0.
  replay(
    missed_events what, event_id live_from, std::size_t piece_bytes, framing how,
    frame_format format = frame_format::named, cursor_form cursor = cursor_form::block)
    : next_(std::move(what)),
      live_from_(live_from),
      piece_bytes_(piece_bytes),
      framing_(how),
      format_(format),
      cursor_(cursor) {}

  /// Renders the piece that is due: the same one until `advance`.
  void render();
  /// What was rendered; empty before, and once it is dropped or sent.
  [[nodiscard]] std::string_view piece() const noexcept { return piece_; }
  /// Gives its memory back.
  void drop_piece() noexcept { std::string{}.swap(piece_); }

  /// The piece that was rendered is sent.
  void advance() {
    next_ = behind_;
    piece_.clear();
  }

  /// Whether the piece that was rendered is the last.
  [[nodiscard]] bool last() const noexcept { return behind_.empty(); }

  /// Events in the piece that was rendered.
  [[nodiscard]] const frame_counts& counts() const noexcept { return counts_; }

private:
  missed_events next_;
  event_id live_from_;
  std::size_t piece_bytes_;
  framing framing_;
  frame_format format_;
  cursor_form cursor_;
  missed_events behind_;
  std::string piece_;
  frame_counts counts_{};
};

} // namespace herald
