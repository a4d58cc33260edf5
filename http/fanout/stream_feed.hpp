#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/audience/audience_index.hpp"
#include "http/fanout/delivery_targets.hpp"
#include "http/fanout/heartbeat_round.hpp"
#include "http/fanout/shared_frame.hpp"
#include "http/fanout/stream_table.hpp"
#include "messages/audience.hpp"
#include "messages/events.hpp"
#include "messages/history.hpp"

namespace herald {

/// Renders what is delivered and puts it into a table: into its log what is for everyone, into the
/// queue of a stream what is for that one. Knows what each stream hears, and so which streams an
/// event with an audience is for: each of them gets a reference to one frame. Notes when events
/// came, for their latency.
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
      last_frames_{now, now} {}

  // What streams hear. Null is what a plain one does.

  /// Opens a waiting stream of the table, which hears this from here on.
  void attach(
    stream_slot slot, stream_start start, missed_events missed = {}, event_id live_from = {},
    const reach_ptr& hears = nullptr);
  /// From here on a stream hears this. Nothing for one that is not open. A stream that is far
  /// behind may be closed by it, as by `stream_table::push`.
  void change(stream_slot slot, const reach_ptr& hears);
  /// Gives an open stream older events, in their order, and then again the place from where it may
  /// come back, unless that is 0.
  void put_values(stream_slot slot, std::span<const event_ptr> values, event_id cursor);
  /// The stream in this slot has ended.
  void ended(stream_slot slot) noexcept;
  [[nodiscard]] const audience_index& members() const noexcept { return index_; }

  // What they are told.

  /// Puts in as much of the batch as there is room for; true once all of it is in. Until then, to
  /// be called again with the same one.
  bool put(const deliver& order, time_point now);
  /// Of what was put in since the last call.
  [[nodiscard]] std::vector<failure> take_failures() { return std::exchange(failures_, {}); }

  /// Gives the open streams of one kind in these slots a comment. `ended`: an empty line follows
  /// it, as that of gateways has it. True if a slice of the table has something to send then.
  bool put_heartbeat(hearing who, const heartbeat_round::slice& some, bool ended = false);
  /// Gives them a heartbeat that pages can watch, an event without id; likewise.
  bool put_heartbeat_event(hearing who, const heartbeat_round::slice& some);
  /// The same for one open stream.
  void put_heartbeat_event(stream_slot slot);
  /// Tells one open stream that its right ends in so long: an event `expired` without id.
  void put_expiry(stream_slot slot, std::chrono::milliseconds left);
  /// The heartbeats of the next round, of each kind, begin with the id of an event before which
  /// nothing is still to come, so that a stream that has heard none of the last events comes back
  /// from there. They name a later one if that was put in meanwhile: a cursor never goes back.
  /// Nothing for 0.
  void note_place(event_id place);
  /// When something was last put in for all streams of this kind, heartbeats left out; at first,
  /// when this was made.
  [[nodiscard]] time_point last_frame(hearing who) const noexcept {
    return last_frames_.at(static_cast<std::size_t>(who));
  }
  /// The same of any kind.
  [[nodiscard]] time_point last_frame() const noexcept {
    return *std::max_element(last_frames_.begin(), last_frames_.end());
  }

  /// Whether all streams that an event is for were offered it since the last `each_served`.
  [[nodiscard]] bool has_served() const {
    return !timed_.empty() && timed_.front().upto <= table_.served_frames()
           && timed_.front().round < table_.rounds();
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
  /// An event whose latency is noted once passes have come this far, and the table's rounds further
  /// than this.
  struct timed_event {
    std::uint64_t upto = 0;
    std::uint64_t round = 0;
    time_point accepted;
    service_type service = service_type::event;
  };

  bool put_one(const delivery& item, time_point now);
  bool broadcast(const event& what, time_point now, std::span<const stream_slot> except);
  void send_to_one(const delivery& item);
  bool send_to_some(const delivery& item, time_point now);
  bool begin_some(const delivery& item);
  [[nodiscard]] std::optional<stream_slot> open_slot(const token& stream) const;
  void note_time(const event& what, std::uint64_t round);
  void raise_places(event_id to);
  event_id place_to_tell(hearing who, const heartbeat_round::slice& some);
  bool tell(hearing who, const heartbeat_round::slice& some, std::string_view beat);

  stream_table& table_;
  const frame_format format_;
  std::size_t progress_ = 0;
  delivery_tickets::key ticket_ = 0;
  std::vector<failure> failures_;
  std::deque<timed_event> timed_;
  /// By `hearing`.
  std::array<time_point, hearing_count> last_frames_;
  /// A place that heartbeats name; 0 where there is none.
  struct noted_place {
    event_id value;
    /// What all streams were told since the round began.
    event_id telling;
  };
  /// By `hearing`.
  std::array<noted_place, hearing_count> places_{};
  std::string scratch_;

  audience_index index_;
  /// Of the delivery to some that is under way, if there is one.
  std::optional<shared_frame> frame_;
  delivery_targets targets_;
  bool pushed_ = false;
  std::vector<stream_slot> excepted_;
};

} // namespace herald
