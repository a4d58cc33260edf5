#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/delivery_tickets.hpp"
#include "http/frame_log.hpp"
#include "messages/connections.hpp"
#include "messages/events.hpp"

namespace herald {

/// Bytes that one stream alone has to send, once it has sent the log up to `due`.
struct private_frame {
  log_position due = 0;
  std::string bytes;
  /// Set for an event, which is counted.
  std::optional<service_type> service;
  delivery_tickets::key ticket = 0;
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
  /// Bytes of the frames that wait.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] const private_frame& at(std::size_t i) const { return frames_[next_ + i]; }
  /// Bytes of the first frame that are sent.
  [[nodiscard]] std::size_t sent() const noexcept { return sent_; }

  void push(private_frame frame) {
    bytes_ += frame.bytes.size();
    frames_.push_back(std::move(frame));
  }

  /// Notes that the first frame has sent `n` bytes more.
  void sent_more(std::size_t n) noexcept { sent_ += n; }

  [[nodiscard]] private_frame pop() {
    auto frame = std::move(frames_[next_++]);
    bytes_ -= frame.bytes.size();
    sent_ = 0;
    if (empty()) {
      frames_.clear();
      next_ = 0;
    }
    return frame;
  }

  std::optional<closing> end;

private:
  std::vector<private_frame> frames_;
  std::size_t next_ = 0;
  std::size_t sent_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace herald
