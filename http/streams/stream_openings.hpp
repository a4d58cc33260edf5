#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/admission/client_limits.hpp"
#include "http/fanout/framing.hpp"
#include "http/fanout/sse_format.hpp"
#include "http/fanout/stream_table.hpp"
#include "http/sockets/host_address.hpp"
#include "messages/connections.hpp"

namespace herald {

/// The clients of a loop whose streams wait for their registration: what the answer to each needs,
/// until when the owner of the streams may take to decide, and of whom the owner has yet to hear.
///
/// Announcements to the owner are batched and keep a pause: each wakes the owner, and its answers
/// wake the loop, while in a storm of connects a round of the loop sees few clients.
///
/// Knows no socket and no clock. For one thread.
class stream_openings {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// From one announcement to the next.
  static constexpr std::chrono::milliseconds announcement_pause{1};
  /// So many openings leave memory behind that is worth giving back.
  static constexpr std::size_t storm = 1000;

  /// A client as the head of its answer needs to know it.
  struct client {
    header_list cors;
    framing how = framing::bare;
    bool heartbeat_event = false;
    cursor_form cursor = cursor_form::block;
    bool accepts_stream = false;
    /// Whom it is counted to; nothing where it is nobody.
    std::optional<client_address> counted_to{};
    /// Whom what it is sent again is counted to.
    client_limits::replayed replays_of{};
    /// What the stream's right comes to an end with; none: it has no end.
    std::optional<wall_time> expires_at = std::nullopt;
    /// The ticket that it was let in by.
    std::optional<std::string> ticket = std::nullopt;
  };

  /// A client that waits for longer than `timeout` is overdue.
  explicit stream_openings(std::chrono::milliseconds timeout) : timeout_(timeout) {}

  /// The client in this slot waits from now on. `announce_later` is to follow.
  void add(stream_slot slot, client who, time_point now);
  /// The client in this slot, if it waits.
  [[nodiscard]] const client* find(stream_slot slot) const;
  /// When the right of the client in this slot ends, and whose it is.
  void set_right(
    stream_slot slot, std::optional<wall_time> expires_at,
    const std::optional<client_address>& subject);
  /// The client in this slot, if it waits, waits no longer.
  void remove(stream_slot slot) { waiting_.erase(slot); }
  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }
  /// The client that has been overdue for longest, until it is removed.
  [[nodiscard]] std::optional<stream_slot> overdue(time_point now);
  [[nodiscard]] time_point last_added() const noexcept { return last_added_; }

  /// Part of the next announcement.
  void announce_later(open_connection request) { unannounced_.push_back(std::move(request)); }
  /// When the next announcement is due; nothing where there is nobody to announce.
  [[nodiscard]] std::optional<time_point> announcement_due() const;
  /// Lets `tell` have a vector of all requests that were not announced, in their order, unless
  /// there is none.
  template <class Tell>
  void announce(time_point now, Tell tell) {
    if (unannounced_.empty())
      return;
    next_announcement_ = now + announcement_pause;
    tell(unannounced_);
    unannounced_.clear();
  }

  /// Gives back what a storm of openings has left behind, unless one waits. False where there was
  /// no storm.
  bool release_memory();

private:
  struct waiting_client : client {
    time_point deadline;
  };
  struct deadline {
    time_point when;
    stream_slot slot;
  };

  const std::chrono::milliseconds timeout_;
  std::unordered_map<stream_slot, waiting_client> waiting_;
  /// In their order, also of clients that wait no longer.
  std::deque<deadline> deadlines_;
  std::vector<open_connection> unannounced_;
  time_point next_announcement_;
  time_point last_added_;
  std::size_t added_since_release_ = 0;
};

} // namespace herald
