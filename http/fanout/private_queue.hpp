#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/container/small_vector.hpp>

#include "http/fanout/delivery_tickets.hpp"
#include "http/fanout/frame_log.hpp"
#include "http/fanout/replay.hpp"
#include "http/fanout/shared_frame.hpp"
#include "messages/connections.hpp"
#include "messages/events.hpp"

namespace herald {

/// What one stream alone does once it has sent its log up to `due`: it sends bytes, framed as it
/// gets them, or goes on elsewhere. Kept small: an event for many streams is one for each of them.
struct private_frame {
  enum class kind : std::uint8_t {
    frame,
    /// Begins with the head of the response, without which nothing that follows means anything.
    opening,
    /// Sends nothing: the stream goes on at `on`, in the log of its framing with broadcasts or in
    /// the one without.
    jump,
  };

  log_position due = 0;
  /// Null for a replay, and for a jump.
  frame_text_ptr text = nullptr;
  /// Set for what the stream has missed; a piece of it is due, or none while it waits.
  std::unique_ptr<replay> missed = nullptr;
  log_position on = 0;
  delivery_tickets::key ticket = 0;
  /// Set for an event, which is counted.
  std::optional<service_type> service = std::nullopt;
  kind what = kind::frame;
  /// Where a jump goes: to the log without broadcasts.
  bool on_addressed = false;

  [[nodiscard]] bool opening() const noexcept { return what == kind::opening; }
  [[nodiscard]] bool jumps() const noexcept { return what == kind::jump; }
  [[nodiscard]] std::string_view bytes() const noexcept {
    if (missed)
      return missed->piece();
    return text ? text->view() : std::string_view{};
  }
};
static_assert(sizeof(private_frame) == 40);

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

  /// What a frame of so many bytes counts: its text may be shared, its place in the queue is not.
  [[nodiscard]] static constexpr std::size_t cost(std::size_t bytes) noexcept {
    return bytes + sizeof(private_frame);
  }

  [[nodiscard]] std::size_t size() const noexcept { return frames_.size() - next_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  /// The cost of what waits; a replay is not among it.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Whether a jump is among what waits.
  [[nodiscard]] bool has_jumps() const noexcept { return jumps_ != 0; }
  [[nodiscard]] const private_frame& at(std::size_t i) const { return frames_[next_ + i]; }
  /// Bytes of the first frame that are sent.
  [[nodiscard]] std::size_t sent() const noexcept { return sent_; }

  void push(private_frame frame) {
    const auto cost = counted(frame);
    const bool jump = frame.jumps();
    frames_.push_back(std::move(frame));
    bytes_ += cost;
    jumps_ += jump ? 1 : 0;
  }

  /// After this the next `push` needs no memory.
  void reserve_one() {
    if (frames_.size() == frames_.capacity())
      frames_.reserve(2 * frames_.capacity());
  }

  /// Queues a jump, which makes one with a jump that ends where it begins.
  void push_jump(log_position due, log_position on, bool on_addressed) {
    if (!empty() && frames_.back().jumps() && frames_.back().on == due) {
      frames_.back().on = on;
      frames_.back().on_addressed = on_addressed;
      return;
    }
    push({.due = due, .on = on, .what = private_frame::kind::jump, .on_addressed = on_addressed});
  }

  /// Notes that the first frame has sent `n` bytes more.
  void sent_more(std::size_t n) noexcept { sent_ += n; }

  /// Whether the first frame is a replay.
  [[nodiscard]] bool replaying() const noexcept { return !empty() && at(0).missed; }

  /// Renders the piece of a replay that is due, if there is a replay near the front and it waits.
  void load() {
    for (auto i = next_; i < frames_.size() && i < next_ + 2; ++i)
      if (auto& frame = frames_[i]; frame.missed && frame.missed->piece().empty())
        frame.missed->render();
  }

  /// Holds no piece while the stream has to wait. What is sent of it stays sent.
  void unload() {
    for (auto i = next_; i < frames_.size() && i < next_ + 2; ++i)
      if (auto& frame = frames_[i]; frame.missed)
        frame.missed->drop_piece();
  }

  /// The piece of a replay, which is not the last, is sent: the next is due.
  void next_piece() {
    frames_[next_].missed->advance();
    sent_ = 0;
  }

  [[nodiscard]] private_frame pop() {
    auto frame = std::move(frames_[next_++]);
    bytes_ -= counted(frame);
    jumps_ -= frame.jumps() ? 1 : 0;
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
    return frame.missed ? 0 : cost(frame.bytes().size());
  }

  /// One needs no memory of its own: most streams have no more.
  boost::container::small_vector<private_frame, 1> frames_;
  std::uint32_t next_ = 0;
  std::uint32_t jumps_ = 0;
  std::size_t sent_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace herald
