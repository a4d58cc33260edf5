#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "http/fanout/stream_table.hpp"
#include "messages/events.hpp"

namespace herald {

/// Renders what is delivered and puts it into a table: into its log what is for everyone, into the
/// queue of a stream what is for that one. Notes when events came, for their latency.
///
/// Knows no clock. For one thread.
class stream_feed {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Deliveries that are put in at once.
  static constexpr std::size_t slice = 1024;

  /// A delivery that failed before it was in the table.
  struct failure {
    token stream;
    service_type service = service_type::event;
    /// No stream of this name is open in the table. Otherwise there is one, with too much to send.
    bool unknown = false;
  };

  stream_feed(stream_table& table, time_point now, frame_format format = frame_format::named)
    : table_(table),
      format_(format),
      last_frame_(now) {}

  /// Puts in as much of the batch as there is room for; true once all of it is in. Until then, to
  /// be called again with the same one.
  bool put(const deliver& order, time_point now);
  /// Of what was put in since the last call.
  [[nodiscard]] std::vector<failure> take_failures() { return std::exchange(failures_, {}); }

  /// Puts in a comment for all streams, unless there is no room, as streams get something anyway.
  /// `ended`: an empty line follows it, as that of gateways has it.
  void put_heartbeat(time_point now, bool ended = false);
  /// Puts in a heartbeat that pages can watch, an event without id, for all streams; likewise.
  void put_heartbeat_event(time_point now);
  /// The same for one open stream.
  void put_heartbeat_event(stream_slot slot);
  /// When something was last put in for all streams; at first, when this was made.
  [[nodiscard]] time_point last_frame() const noexcept { return last_frame_; }

  /// Whether all streams were offered an event since the last `each_served`.
  [[nodiscard]] bool has_served() const {
    return !timed_.empty() && timed_.front().upto <= table_.served_frames();
  }
  /// Calls `note(service, accepted)` for each event that all streams were offered since the last
  /// time.
  template <class Note>
  void each_served(Note note) {
    for (; has_served(); timed_.pop_front())
      note(timed_.front().service, timed_.front().accepted);
  }

  /// Gives back what a large event has left behind.
  void release_memory();

private:
  /// An event whose latency is noted once passes have come this far.
  struct timed_event {
    std::uint64_t upto = 0;
    time_point accepted;
    service_type service = service_type::event;
  };

  bool broadcast(const event& what, time_point now);
  void broadcast_uncounted(time_point now);
  void send_to_one(const delivery& item);
  void note_time(const event& what);

  stream_table& table_;
  const frame_format format_;
  std::size_t progress_ = 0;
  delivery_tickets::key ticket_ = 0;
  std::vector<failure> failures_;
  std::deque<timed_event> timed_;
  time_point last_frame_;
  std::string scratch_;
};

} // namespace herald
