#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/fanout/delivery_tickets.hpp"
#include "http/fanout/frame_log.hpp"
#include "http/fanout/replay.hpp"
#include "messages/connections.hpp"
#include "messages/events.hpp"

namespace herald {

/// Bytes that one stream alone has to send, framed as it gets them, once it has sent the log up to
/// `due`.
struct private_frame {
  log_position due = 0;
  std::string bytes;
  /// Set for an event, which is counted.
  std::optional<service_type> service;
  delivery_tickets::key ticket = 0;
  /// Set for what the stream has missed; then `bytes` is the piece of it that is due, or empty
  /// while it waits.
  std::unique_ptr<replay> missed = nullptr;
  /// Begins with the head of the response, without which nothing that follows means anything.
  bool opening = false;
};

/// The frames that only one stream sends, in their order, and how that stream is to end. Exists
/// only while there is something of it.
class private_queue {
public:
  /// How a stream ends that is being closed.
  struct closing {
    /// Where in the log it stops.
    log_position stop = 0;
    end_reason reason = end_reason::server_closed;
    /// Whether its owner is told of the end.
    bool report = true;
    /// When it is cut off if it does not take what is due; to be set if it is zero.
    std::chrono::steady_clock::time_point deadline;
  };

  [[nodiscard]] std::size_t size() const noexcept { return frames_.size() - next_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  /// Bytes of the frames that wait; a replay is not among them.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] const private_frame& at(std::size_t i) const { return frames_[next_ + i]; }
  /// Bytes of the first frame that are sent.
  [[nodiscard]] std::size_t sent() const noexcept { return sent_; }

  void push(private_frame frame) {
    bytes_ += counted(frame);
    frames_.push_back(std::move(frame));
  }

  /// Notes that the first frame has sent `n` bytes more.
  void sent_more(std::size_t n) noexcept { sent_ += n; }

  /// Whether the first frame is a replay.
  [[nodiscard]] bool replaying() const noexcept { return !empty() && at(0).missed; }

  /// Renders the piece of a replay that is due, if there is a replay near the front and it waits.
  void load() {
    for (auto i = next_; i < frames_.size() && i < next_ + 2; ++i)
      if (auto& frame = frames_[i]; frame.missed && frame.bytes.empty())
        frame.missed->render(frame.bytes);
  }

  /// Holds no piece while the stream has to wait. What is sent of it stays sent.
  void unload() {
    for (auto i = next_; i < frames_.size() && i < next_ + 2; ++i)
      if (auto& frame = frames_[i]; frame.missed)
        std::string{}.swap(frame.bytes);
  }

  /// The piece of a replay, which is not the last, is sent: the next is due.
  void next_piece() {
    auto& frame = frames_[next_];
    frame.missed->advance();
    frame.bytes.clear();
    sent_ = 0;
  }

  [[nodiscard]] private_frame pop() {
    auto frame = std::move(frames_[next_++]);
    bytes_ -= counted(frame);
    sent_ = 0;
    if (empty()) {
      frames_.clear();
      next_ = 0;
    }
    return frame;
  }

  std::optional<closing> end;

private:
  static std::size_t counted(const private_frame& frame) noexcept {
    return frame.missed ? 0 : frame.bytes.size();
  }

  std::vector<private_frame> frames_;
  std::size_t next_ = 0;
  std::size_t sent_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace herald
