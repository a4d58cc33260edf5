#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container/deque.hpp>
#include <sys/types.h>
#include <sys/uio.h>

#include "http/fanout/delivery_tickets.hpp"
#include "http/fanout/frame_log.hpp"
#include "http/fanout/framing.hpp"
#include "http/fanout/private_queue.hpp"
#include "http/fanout/shared_frame.hpp"
#include "http/fanout/sse_format.hpp"
#include "http/fanout/stream_tally.hpp"
#include "http/sockets/send_ring.hpp"
#include "messages/connections.hpp"
#include "messages/delivery.hpp"
#include "messages/events.hpp"
#include "messages/formats.hpp"
#include "messages/ids.hpp"

namespace herald {

/// The place of a stream in its loop's table; given to another once the stream has ended.
using stream_slot = std::uint32_t;

/// A stream that is gone from the table: its descriptor is to be closed.
struct ended_stream {
  stream_slot slot = 0;
  int fd = -1;
  token stream;
  end_reason reason = end_reason::client_closed;
  /// Whether the owner of the streams waits to hear of it.
  bool report = true;
  std::uint32_t lease = 0;
};

/// The sockets, as a stream table needs them. Must not call the table back.
class stream_io {
public:
  /// Whether others get the core now and then while a batch is sent (`send_bursts`). Not in
  /// answers to clients that connect: each pause is one for all that have connected since.
  enum class pauses : std::uint8_t { some, none };

  stream_io() = default;
  stream_io(const stream_io&) = delete;
  stream_io& operator=(const stream_io&) = delete;
  virtual ~stream_io() = default;

  /// Gives bytes to the kernel: how many it took, 0 if it takes none now, -1 if the socket is
  /// broken.
  virtual ssize_t write(int fd, const iovec* parts, int count) = 0;
  /// `write` for many sockets, in their order, with results as its own; calls it unless there is a
  /// quicker way.
  virtual void write_each(std::span<socket_send> sends, pauses how);
  /// Whether to call `stream_table::writable` once the socket takes bytes again.
  virtual void watch_writable(int fd, stream_slot slot, bool on) = 0;
  virtual void ended(const ended_stream& stream) = 0;
};

struct stream_table_options {
  /// Tells the tokens of several tables apart.
  std::uint32_t loop = 0;
  /// Of each of its logs.
  std::size_t log_bytes = 0;
  /// Most bytes that wait for one stream alone, as they are framed, with what their places in its
  /// queue take.
  std::size_t private_queue_bytes = 0;
  /// Log bytes taken in ahead of streams that read well. They are never lapped by this.
  std::size_t window_bytes = 0;
  /// How long a stream that is being closed may take to accept what is due.
  std::chrono::milliseconds linger{};
  /// A replay is rendered in pieces of this size; a stream may send `turn_bytes` of it in a turn.
  std::size_t piece_bytes = std::size_t{32} * 1024;
  std::size_t turn_bytes = std::size_t{64} * 1024;
  /// Of what the table itself renders.
  frame_format format = frame_format::named;
  /// Most bytes of all that waits for single streams (`frame_text::held_bytes`). Beyond, streams
  /// are closed that do not read.
  std::size_t max_private_bytes = std::numeric_limits<std::size_t>::max();
};

/// Whether a stream gets what is for everyone, or only what is meant for it and what keeps it
/// alive.
enum class hearing : std::uint8_t { everything, addressed };
inline constexpr std::size_t hearing_count = 2;

/// How a stream begins.
struct stream_start {
  /// The head of the response.
  std::string head;
  /// The first frame, which goes with it.
  std::string first = {};
  framing how = framing::bare;
  hearing hears = hearing::everything;
  cursor_form cursor = cursor_form::block;
};

/// One frame, by how clients are told their cursors.
using told_frame = std::array<std::string_view, cursor_form_count>;

/// The streams of one loop: what each has been sent, what it is to be sent, how it ends.
///
/// Every stream gets the broadcast frames in the order of the log, and its own frames between
/// them exactly where they were pushed. There is a log for each framing, and one more for
/// those of its streams that do not hear broadcasts; it is only written while streams follow it: a
/// send is a slice of memory that is there for all of them. A stream that ends in order, and not by
/// a cut, ends as its framing wants.
///
/// A stream that leaves out a stretch of its log, or goes over to the other one, jumps: at once if
/// it has sent all that is before, else by an entry between its own frames. So it sends all that
/// was there before, and nothing twice.
///
/// A stream whose socket is full waits for `writable` and is left out of passes; when the log must
/// overwrite what it has not sent, it is told `lagged` at the next end of a frame, if it still
/// listens, and closed.
///
/// A stream that has missed much gets it in turns with others, a piece at a time, while the rest
/// goes on. Streams with something of their own to send have half of each slice while a pass is
/// under way, so that neither waits for the other.
///
/// Knows no socket and no clock. For one thread.
class stream_table {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Most sends of one `write_each`.
  static constexpr std::size_t max_batch = 256;
  /// Pushes of shared frames in a slice.
  static constexpr std::size_t slice_pushes = 1024;

  stream_table(stream_table_options options, stream_io& io);

  // The life of a stream.

  /// Takes a client that waits for its registration. `secret` makes its token unguessable.
  stream_slot add(int fd, std::uint64_t secret, std::uint32_t lease);

  [[nodiscard]] token token_of(stream_slot slot) const;
  /// A stream that waits or is open; not one that is being closed.
  [[nodiscard]] std::optional<stream_slot> find(const token& stream) const;
  [[nodiscard]] bool waiting(stream_slot slot) const;
  [[nodiscard]] bool open(stream_slot slot) const { return streams_[slot].now == state::open; }
  /// How its client is told its cursor.
  [[nodiscard]] cursor_form cursor_form_of(stream_slot slot) const {
    return streams_[slot].cursor_event ? cursor_form::event : cursor_form::block;
  }
  /// -1 for a slot that is free.
  [[nodiscard]] int descriptor(stream_slot slot) const { return streams_[slot].fd; }

  /// Opens a waiting stream: it gets how it begins, what it has missed, the id from which it is
  /// live (unless it is 0), and all that is broadcast from here on. What it has missed is no part
  /// of what may wait for it alone.
  void
  attach(stream_slot slot, stream_start start, missed_events missed = {}, event_id live_from = {});
  /// Ends a waiting stream with an answer, which is sent as it is.
  void refuse(stream_slot slot, std::string_view answer, bool report, time_point now);
  /// Ends an open stream once it has sent all that is due, and `farewell` last; a waiting one at
  /// once.
  void close(stream_slot slot, std::string_view farewell, time_point now);
  /// Ends a stream here and now. Nothing for a slot that is free.
  void drop(stream_slot slot, end_reason reason);
  /// Notes bytes that the client has sent, which nobody wants.
  void received(stream_slot slot, std::size_t bytes);

  // Sending.

  /// Whether a frame can be broadcast now without lapping a stream that reads well. If not, a pass
  /// is under way, after which it can.
  [[nodiscard]] bool room_for(std::size_t bytes) const;
  /// Appends a frame for all open streams that hear broadcasts, but not for those of `except`, of
  /// which each is named once; they count neither as delivered nor as failed. A frame that is
  /// larger than the log fails for all of them. A stream of `except` that is far behind may be
  /// closed, as by `push`.
  void broadcast(
    std::string_view frame, std::optional<service_type> service, delivery_tickets::key ticket = 0,
    std::span<const stream_slot> except = {});
  /// Sends a frame that is no event to the open streams of one kind in the slots from `begin` to
  /// `end`: at once to those that have nothing else to send, and behind what is due to the others.
  /// True if a slice has something to send then. A stream that is far behind may be closed, as by
  /// `push`.
  bool tell(hearing who, stream_slot begin, stream_slot end, const told_frame& frame);
  /// From here on an open stream hears this. A stream that is far behind may be closed, as by
  /// `push`.
  void change_hearing(stream_slot slot, hearing now);
  /// Queues a frame for one stream, behind everything broadcast before. A stream that is not open
  /// takes none: false.
  bool push(
    stream_slot slot, std::string_view frame, std::optional<service_type> service,
    delivery_tickets::key ticket = 0);
  /// The same with a frame of which many streams get one text. Takes 50 ns more for each of 10,000
  /// streams than a broadcast does, of the 3.5 us that a delivery costs with the kernel's part.
  bool push(stream_slot slot, shared_frame& frame);
  /// Whether such a frame may be pushed to one more stream now: streams that read well have not too
  /// much of the kind waiting, and the slice is not full. If not, it may be after one of the next
  /// slices, of which there are some to come.
  ///
  /// References that wait for streams that read well take at most the memory of a log once more,
  /// and their frames a window's, of which each stream has room for twice as much: a publisher who
  /// is faster than the sockets waits, several frames go in one send, and no stream that reads well
  /// is closed for what is pushed to many.
  [[nodiscard]] bool room_for(const shared_frame& frame) const noexcept;

  /// Sends to streams that are behind, at most `sends` times; true if there are more.
  bool run_slice(std::size_t sends);
  /// The socket of a stream takes bytes again.
  void writable(stream_slot slot);
  /// Whether a slice has something to send, if no event comes.
  [[nodiscard]] bool has_work() const noexcept { return !catching_up_.empty(); }
  /// Cuts off streams that are being closed and do not take what is due.
  void expire(time_point now);
  /// Gives memory back that a burst has left behind.
  void release_memory();

  // Its state.

  /// How far behind an open stream is, as far as the table knows: without what the kernel has.
  /// Takes time in proportion to what waits for it alone.
  [[nodiscard]] stream_backlog backlog_of(stream_slot slot) const;

  /// Whether the stream was sent something since it was last `acknowledged`.
  [[nodiscard]] bool unacknowledged(stream_slot slot) const {
    return streams_[slot].unacknowledged;
  }
  /// The client has acknowledged all that the stream was sent.
  void acknowledged(stream_slot slot) { streams_[slot].unacknowledged = false; }

  /// Where the parts of the table do not agree: what is wrong.
  [[nodiscard]] std::optional<std::string> check() const;

  /// Slots ever used; every stream's slot is below.
  [[nodiscard]] std::size_t slots() const noexcept { return streams_.size(); }
  /// Streams in the table, of whatever state.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t open_streams() const noexcept {
    return open_streams(hearing::everything) + open_streams(hearing::addressed);
  }
  [[nodiscard]] std::size_t open_streams(hearing who) const noexcept;
  /// Streams that wait for their socket, or for their turn to get what they have missed.
  [[nodiscard]] std::size_t blocked_streams() const noexcept { return blocked_.size(); }
  /// Bytes that the logs keep.
  [[nodiscard]] std::size_t log_bytes() const noexcept;
  /// Frames that were broadcast, ever.
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  /// Finished passes have offered every stream so many of them.
  [[nodiscard]] std::uint64_t served_frames() const noexcept { return served_frames_; }
  /// Rises each time when all streams that read well have got what was pushed to them.
  [[nodiscard]] std::uint64_t rounds() const noexcept { return round_; }
  [[nodiscard]] delivery_tickets& tickets() noexcept { return tickets_; }
  [[nodiscard]] const stream_tally& tally() const noexcept { return tally_; }

private:
  enum class state : std::uint8_t { free, waiting, open, closing };

  /// The frames that all streams of one framing get that hear the same.
  struct lane {
    framing how = framing::bare;
    hearing who = hearing::everything;
    frame_log log;
    /// Open streams that follow the log, or will once they come to the end of their jumps.
    std::size_t open = 0;
    /// Finished passes have offered each of them the log up to here.
    log_position served = 0;
    /// The end of the pass that is under way.
    log_position pass_end = 0;
  };

  /// All that an idle stream costs. Kept small: there are many.
  struct stream {
    /// A place in the log of the lane in which it is.
    log_position cursor = 0;
    std::uint64_t secret = 0;
    std::unique_ptr<private_queue> own;
    int fd = -1;
    /// Place in `blocked_`; of a free slot, the next free one.
    std::uint32_t link = none;
    std::uint32_t lease = 0;
    std::uint16_t received = 0;
    state now = state::free;
    /// Listed in `ready_`.
    bool ready : 1 = false;
    /// Listed in `catching_up_`, and blocked until its turn.
    bool catching_up : 1 = false;
    /// To be told when its socket takes bytes again.
    bool watched : 1 = false;
    bool chunked : 1 = false;
    /// Hears no broadcasts: its lane.
    bool addressed : 1 = false;
    /// The same of the lane in which its cursor is, while jumps to another wait.
    bool cursor_addressed : 1 = false;
    /// Was sent something that the client may not have acknowledged.
    bool unacknowledged : 1 = false;
    /// Its client keeps the ids of events alone.
    bool cursor_event : 1 = false;
  };

  static constexpr std::size_t lane_count = framing_count * hearing_count;

  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  /// Enough for three private frames and the log between them.
  static constexpr std::size_t max_parts = 12;
  using part_list = std::array<iovec, max_parts>;

  [[nodiscard]] bool blocked(const stream& s) const noexcept { return s.link != none; }
  [[nodiscard]] static framing framing_of(const stream& s) noexcept {
    return s.chunked ? framing::chunked : framing::bare;
  }
  [[nodiscard]] static std::size_t lane_index(framing how, bool addressed) noexcept {
    return static_cast<std::size_t>(how) + (addressed ? framing_count : 0);
  }
  /// The lane that it follows.
  [[nodiscard]] const lane& lane_of(const stream& s) const noexcept {
    return lanes_[lane_index(framing_of(s), s.addressed)];
  }
  [[nodiscard]] lane& lane_of(const stream& s) noexcept {
    return lanes_[lane_index(framing_of(s), s.addressed)];
  }
  [[nodiscard]] const frame_log& log_of(const stream& s) const noexcept { return lane_of(s).log; }
  /// The lane in which its cursor is.
  [[nodiscard]] const lane& cursor_lane(const stream& s) const noexcept {
    return lanes_[lane_index(framing_of(s), s.cursor_addressed)];
  }
  template <class Use>
  void each_stretch(const stream& s, Use use) const;
  [[nodiscard]] log_position limit(const stream& s) const;
  private_queue& own(stream& s);
  void make_ready(stream_slot slot);
  [[nodiscard]] bool fits(stream_slot slot, std::size_t bytes);
  void make_room();
  [[nodiscard]] bool at_end(const stream& s) const;
  void jump(stream& s, log_position from, const lane& where, log_position to);
  void follow(stream& s, bool addressed);
  void prepare_jumps(std::span<const stream_slot> some);
  [[nodiscard]] bool enqueue(
    stream_slot slot, frame_text_ptr text, std::optional<service_type> service,
    delivery_tickets::key ticket);
  [[nodiscard]] std::size_t most_shared_bytes() const noexcept;

  void run_ready(std::size_t sends, std::uint64_t last_byte);
  bool run_pass(std::size_t sends, std::uint64_t last_byte);
  [[nodiscard]] bool slice_full(std::size_t sends, std::uint64_t last_byte) const noexcept;
  [[nodiscard]] bool behind(const stream& s) const;
  [[nodiscard]] bool has_all(const stream& s) const;
  bool join_batch(stream_slot slot);
  [[nodiscard]] std::string_view only_piece(const stream& s) const;
  void send_batch();
  template <class Apply>
  void send_batch(Apply apply);
  void add_to_batch(stream_slot slot, std::string_view bytes);
  void apply_result(stream_slot slot, const socket_send& send);
  void apply_told(stream_slot slot, const socket_send& send, const frame_text_ptr& text);
  void serve(stream_slot slot);
  std::size_t gather(const stream& s, part_list& parts) const;
  void note_sent(stream& s, std::size_t bytes);
  void advance(stream& s, std::size_t bytes);
  void advance_log(stream& s, log_position to);
  void take_jump(stream& s);
  bool finish_piece(stream& s);
  void finish_frame(stream& s);
  void block(stream_slot slot, bool watch);
  void unblock(stream_slot slot);
  void watch(stream_slot slot, bool on);
  void wait_for_turn(stream_slot slot);
  void run_replays();

  void begin_closing(stream_slot slot, private_queue::closing how, std::string_view farewell);
  [[nodiscard]] bool room_in(const lane& where, std::size_t frame) const;
  void append(
    lane& to, std::string_view frame, std::optional<service_type> service,
    delivery_tickets::key ticket, std::span<const stream_slot> except);
  static std::string ending(const stream& s, std::string_view farewell);
  void lap_behind(const lane& in, log_position begin);
  [[nodiscard]] bool needs_before(const stream& s, const lane& in, log_position begin) const;
  void trim_logs();
  void lap(stream_slot slot);
  void fail_log(const stream& s);
  void fail_frame(const private_frame& frame);
  void end_stream(stream_slot slot, end_reason reason);
  void begin_pass();
  void finish_pass();

  stream_table_options options_;
  stream_io& io_;
  /// By `lane_index`.
  std::array<lane, lane_count> lanes_;
  delivery_tickets tickets_;
  stream_tally tally_;

  /// Grows without moving or doubling, in blocks large enough not to lie between what opening a
  /// stream allocates for a moment.
  boost::container::deque<
    stream, void, boost::container::deque_options_t<boost::container::block_size<1024>>>
    streams_;
  std::uint32_t first_free_ = none;
  std::size_t size_ = 0;
  std::vector<stream_slot> blocked_;
  /// Streams with something of their own to send, in the order in which they got it.
  std::deque<stream_slot> ready_;
  /// Counts how often `ready_` has come to its end.
  std::uint64_t round_ = 1;
  /// When streams that do not read were last closed to make room.
  std::uint64_t made_room_ = 0;
  /// Shared frames that were pushed to streams that read well in this round: references to them,
  /// and the cost of each, once.
  std::size_t shared_references_ = 0;
  std::size_t shared_bytes_ = 0;
  /// Pushes of shared frames since the last slice.
  std::size_t pushed_ = 0;
  /// Streams with more of a replay to send, in the order of their turns.
  std::deque<stream_slot> catching_up_;

  std::uint64_t frames_ = 0;
  std::uint64_t served_frames_ = 0;
  bool in_pass_ = false;
  /// What the pass that is under way will have offered.
  std::uint64_t pass_frames_ = 0;
  stream_slot next_ = 0;
  /// Streams of the pass that are sent to together, and what they are sent.
  std::vector<stream_slot> batch_;
  std::vector<socket_send> batch_sends_;
  std::size_t batch_bytes_ = 0;
  /// None where all of them open.
  stream_io::pauses batch_pauses_ = stream_io::pauses::none;
  /// Sends of the slice that is under way.
  std::size_t slice_done_ = 0;
};

} // namespace herald
