#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>

#include "messages/events.hpp"

namespace herald {

/// A place in the bytes of a frame log, counted from the first byte ever appended. Never wraps.
using log_position = std::uint64_t;

/// Frames of events, by service.
using frame_counts = std::array<std::uint64_t, service_type_count>;

/// The bytes that many streams have to send, once: a bounded window over an endless sequence of
/// frames. Each stream only keeps the position that it has sent up to.
///
/// Memory is touched as far as the streams are apart: a log that nobody reads behind starts over
/// at its first byte. Pure, for one thread.
class frame_log {
public:
  /// Two pieces, as the window may wrap; the second is empty if it does not.
  struct parts {
    std::string_view first;
    std::string_view second;
  };

  /// Keeps at most `capacity` bytes, and a frame for every 64 of them.
  explicit frame_log(std::size_t capacity);

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  /// The oldest byte that is kept; the start of a frame.
  [[nodiscard]] log_position begin() const noexcept { return base_.end; }
  /// Behind the last byte; the end of a frame.
  [[nodiscard]] log_position end() const noexcept {
    return frames_.empty() ? base_.end : frames_.back().end;
  }

  /// Where the log will begin once a frame of `bytes` is appended: what lies before is
  /// overwritten. Makes room in large steps, so that the answer changes seldom.
  [[nodiscard]] log_position begin_after(std::size_t bytes) const;

  /// A frame, in the order of its bytes.
  using pieces = std::array<std::string_view, 3>;

  /// Appends a frame of at most `capacity()` bytes; one of no service (a comment) is not counted.
  void append(const pieces& frame, std::optional<service_type> service);
  void append(std::string_view frame, std::optional<service_type> service) {
    append(pieces{frame}, service);
  }

  /// The bytes of [from, to), which must be kept.
  [[nodiscard]] parts view(log_position from, log_position to) const;

  /// The first end of a frame that is not before `at`.
  [[nodiscard]] log_position frame_end(log_position at) const;

  /// The frames of which the last byte lies in [from, to), both kept. Asking again for the same
  /// pair is free: in a pass nearly all streams ask for the same.
  [[nodiscard]] const frame_counts& count(log_position from, log_position to) const;

  /// Forgets the frames that end at or before `to`.
  void trim(log_position to);

  /// Gives memory that is not in use back to the system.
  void release_memory();

private:
  struct mark {
    log_position end = 0;
    /// Frames that end here or before, modulo 2^32.
    std::array<std::uint32_t, service_type_count> upto{};
  };

  [[nodiscard]] std::size_t offset(log_position at) const noexcept {
    return static_cast<std::size_t>((at - origin_) % capacity_);
  }
  [[nodiscard]] const mark& mark_at(log_position at) const;
  void write(log_position at, std::string_view bytes);

  std::size_t capacity_;
  std::size_t max_frames_;
  /// Null until the first frame.
  std::unique_ptr<char[]> bytes_;
  /// How far memory was written since it was last released.
  std::size_t touched_ = 0;
  /// The position at offset 0.
  log_position origin_ = 0;
  /// The end of the last frame that is not kept any more.
  mark base_;
  std::deque<mark> frames_;

  struct counted {
    log_position from = 0;
    log_position to = 0;
    frame_counts frames{};
  };
  mutable counted last_count_;
};

} // namespace herald
