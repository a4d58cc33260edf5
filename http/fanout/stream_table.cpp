#include "http/fanout/stream_table.hpp"

#include <algorithm>
#include <cassert>
#include <exception>
#include <numeric>
#include <utility>

namespace herald {

namespace {

/// A stream is closed whose client has sent this much, in KiB; browsers send nothing.
constexpr std::uint16_t flood_kib = 64;
/// The rest of a frame that is copied for a lapped stream, so that it can be told.
constexpr std::size_t max_copied_rest = std::size_t{16} * 1024;

/// A slice ends early when it has sent this much.
constexpr std::uint64_t slice_bytes = std::uint64_t{4} * 1024 * 1024;

/// Turns in a slice of streams with much to catch up on.
constexpr std::size_t slice_turns = 16;

constexpr std::uint64_t uuid_version_mask = 0xf000;
constexpr std::uint64_t uuid_version_4 = 0x4000;
constexpr std::uint64_t uuid_variant = std::uint64_t{1} << 63;

iovec part(std::string_view bytes) {
  // iovec is for reading too, hence without const.
  return {const_cast<char*>(bytes.data()), bytes.size()}; // NOLINT
}

} // namespace

void stream_io::write_each(std::span<socket_send> sends, pauses /*how*/) {
  for (auto& send : sends) {
    const auto bytes = part({static_cast<const char*>(send.bytes), send.count});
    send.result = write(send.fd, &bytes, 1);
  }
}

stream_table::stream_table(stream_table_options options, stream_io& io)
  : options_(options),
    io_(io),
    lanes_{
      {{framing::bare, hearing::everything, frame_log{options.log_bytes}},
       {framing::chunked, hearing::everything, frame_log{options.log_bytes}},
       {framing::bare, hearing::addressed, frame_log{options.log_bytes}},
       {framing::chunked, hearing::addressed, frame_log{options.log_bytes}}}} {
  batch_.reserve(max_batch);
  batch_sends_.reserve(max_batch);
}

stream_slot stream_table::add(int fd, std::uint64_t secret, std::uint32_t lease) {
  auto slot = first_free_;
  if (slot == none) {
    slot = static_cast<stream_slot>(streams_.size());
    streams_.emplace_back();
  }
  auto& s = streams_[slot];
  first_free_ = std::exchange(s.link, none);
  s.fd = fd;
  s.secret = (secret & ~uuid_version_mask) | uuid_version_4;
  s.lease = lease;
  s.now = state::waiting;
  ++size_;
  return slot;
}

token stream_table::token_of(stream_slot slot) const {
  const auto low = uuid_variant | (std::uint64_t{options_.loop} << 32) | slot;
  return token::from_bits(streams_[slot].secret, low);
}

std::optional<stream_slot> stream_table::find(const token& stream) const {
  const auto slot = static_cast<stream_slot>(stream.low());
  if (slot >= streams_.size() || token_of(slot) != stream)
    return std::nullopt;
  const auto now = streams_[slot].now;
  if (now != state::waiting && now != state::open)
    return std::nullopt;
  return slot;
}

bool stream_table::waiting(stream_slot slot) const {
  return streams_[slot].now == state::waiting;
}

void stream_table::attach(
  stream_slot slot, stream_start start, missed_events missed, event_id live_from) {
  auto& s = streams_[slot];
  assert(s.now == state::waiting);
  s.now = state::open;
  s.chunked = start.how == framing::chunked;
  s.addressed = s.cursor_addressed = start.hears == hearing::addressed;
  s.cursor = log_of(s).end();
  s.cursor_event = start.cursor == cursor_form::event;
  ++lane_of(s).open;
  if (missed.empty())
    append_cursor(start.first, live_from, start.cursor);
  const frame_cover cover{start.how, start.first.size()};
  // Whatever is in a queue has bytes to send, but for jumps.
  if (auto text = frame_text::of({start.head, cover.head(), start.first, cover.tail()});
      !text->view().empty())
    own(s).push({.due = s.cursor, .text = std::move(text), .what = private_frame::kind::opening});
  if (!missed.empty()) {
    auto rest = std::make_unique<replay>(
      std::move(missed), live_from, options_.piece_bytes, start.how, options_.format, start.cursor);
    own(s).push({.due = s.cursor, .missed = std::move(rest)});
  }
  make_ready(slot);
}

void stream_table::refuse(stream_slot slot, std::string_view answer, bool report, time_point now) {
  assert(streams_[slot].now == state::waiting);
  begin_closing(slot, {0, end_reason::server_closed, report, now + options_.linger}, answer);
}

void stream_table::close(stream_slot slot, std::string_view farewell, time_point now) {
  auto& s = streams_[slot];
  if (s.now == state::waiting)
    end_stream(slot, end_reason::server_closed);
  else if (s.now == state::open)
    begin_closing(
      slot, {log_of(s).end(), end_reason::server_closed, true, now + options_.linger},
      ending(s, farewell));
}

/// The last bytes of a stream that ends in order.
std::string stream_table::ending(const stream& s, std::string_view farewell) {
  std::string bytes;
  append_framed(bytes, framing_of(s), farewell);
  if (s.chunked)
    bytes += last_chunk;
  return bytes;
}

void stream_table::begin_closing(
  stream_slot slot, private_queue::closing how, std::string_view farewell) {
  auto& s = streams_[slot];
  if (s.now == state::open)
    --lane_of(s).open;
  s.now = state::closing;
  auto& mine = own(s);
  mine.end = how;
  if (!farewell.empty())
    mine.push({.due = how.stop, .text = frame_text::of({farewell})});
  make_ready(slot);
}

void stream_table::drop(stream_slot slot, end_reason reason) {
  if (streams_[slot].now != state::free)
    end_stream(slot, reason);
}

void stream_table::received(stream_slot slot, std::size_t bytes) {
  auto& s = streams_[slot];
  const auto kib = static_cast<std::uint16_t>(std::min<std::size_t>(bytes / 1024 + 1, flood_kib));
  s.received = static_cast<std::uint16_t>(s.received + kib);
  if (s.received > flood_kib)
    drop(slot, end_reason::error);
}

bool stream_table::room_for(std::size_t bytes) const {
  return std::all_of(
    lanes_.begin(), lanes_.end(), [&](const lane& one) { return room_in(one, bytes); });
}

bool stream_table::room_in(const lane& where, std::size_t frame) const {
  if (where.open == 0 || where.served == where.log.end())
    return true;
  const auto bytes = frame + frame_cover{where.how, frame}.size();
  return where.log.end() + bytes <= where.served + options_.window_bytes
         && where.log.begin_after(bytes) <= where.served;
}

std::size_t stream_table::open_streams(hearing who) const noexcept {
  std::size_t count = 0;
  for (const auto& one : lanes_)
    count += one.who == who ? one.open : 0;
  return count;
}

void stream_table::broadcast(
  std::string_view frame, std::optional<service_type> service, delivery_tickets::key ticket,
  std::span<const stream_slot> except) {
  prepare_jumps(except);
  if (open_streams(hearing::everything) == 0)
    return;
  // First: what is in one log is served, also where there is no memory for the other.
  ++frames_;
  for (auto& one : lanes_)
    if (one.who == hearing::everything && one.open != 0)
      append(one, frame, service, ticket, except);
}

bool stream_table::tell(hearing who, stream_slot begin, stream_slot end, const told_frame& frame) {
  if (open_streams(who) == 0)
    return false;
  std::array<shared_frame, cursor_form_count> texts{
    {{std::string{frame[0]}, std::nullopt}, {std::string{frame[1]}, std::nullopt}}};
  // First what takes memory: a batch that is left would be sent when its text is gone.
  for (auto& text : texts)
    for (const auto how : {framing::bare, framing::chunked})
      (void)text.as(how);
  const auto text_for = [&](const stream& s) -> const frame_text_ptr& {
    return texts.at(s.cursor_event ? 1 : 0).as(framing_of(s));
  };
  const auto flush = [&] {
    send_batch([&](stream_slot slot, const socket_send& send) {
      apply_told(slot, send, text_for(streams_[slot]));
    });
  };
  bool queued = false;
  for (auto slot = begin; slot < end; ++slot) {
    const auto& s = streams_[slot];
    if (s.now != state::open || s.addressed != (who == hearing::addressed))
      continue;
    const auto& bytes = text_for(s);
    if (blocked(s) || !has_all(s)) {
      flush();
      queued = enqueue(slot, bytes, std::nullopt, 0) || queued;
      continue;
    }
    add_to_batch(slot, bytes->view());
    if (batch_.size() == max_batch)
      flush();
  }
  flush();
  return queued;
}

/// Sees to it that these streams can jump without memory: a stream that cannot would be sent what
/// is not for it.
void stream_table::prepare_jumps(std::span<const stream_slot> some) {
  for (const auto slot : some)
    if (auto& s = streams_[slot]; s.now == state::open && !s.addressed && !at_end(s))
      if (fits(slot, 0))
        own(s).reserve_one();
}

void stream_table::change_hearing(stream_slot slot, hearing now) {
  auto& s = streams_[slot];
  const bool addressed = now == hearing::addressed;
  if (s.now != state::open || s.addressed == addressed)
    return;
  if (!at_end(s)) {
    if (!fits(slot, 0))
      return;
    own(s).reserve_one();
    make_ready(slot);
  }
  const auto& next = lanes_[lane_index(framing_of(s), addressed)];
  jump(s, log_of(s).end(), next, next.log.end());
  follow(s, addressed);
}

/// Whether an open stream has sent all that is before the end of its lane.
bool stream_table::at_end(const stream& s) const {
  return (!s.own || s.own->empty()) && s.cursor == log_of(s).end();
}

/// What comes behind `from` in the lane that the open stream follows is not for it: it goes on
/// there instead. Needs no memory where `at_end`, or behind a `reserve_one`.
void stream_table::jump(stream& s, log_position from, const lane& where, log_position to) {
  const bool addressed = where.who == hearing::addressed;
  if ((!s.own || s.own->empty()) && s.cursor == from) {
    s.cursor = to;
    s.cursor_addressed = addressed;
    return;
  }
  s.own->push_jump(from, to, addressed);
}

/// Has an open stream counted with the lane that it will follow.
void stream_table::follow(stream& s, bool addressed) {
  --lane_of(s).open;
  s.addressed = addressed;
  ++lane_of(s).open;
}

void stream_table::append(
  lane& to, std::string_view frame, std::optional<service_type> service,
  delivery_tickets::key ticket, std::span<const stream_slot> except) {
  const auto leaves_out = [&](stream_slot slot) {
    const auto& s = streams_[slot];
    return s.now == state::open && &lane_of(s) == &to;
  };
  const auto getting = [&] {
    return to.open
           - static_cast<std::size_t>(std::count_if(except.begin(), except.end(), leaves_out));
  };
  const frame_cover cover{to.how, frame.size()};
  const auto bytes = frame.size() + cover.size();
  if (bytes > to.log.capacity()) {
    if (service)
      tally_.failed.at(static_cast<std::size_t>(*service)) += getting();
    return;
  }
  lap_behind(to, to.log.begin_after(bytes));
  const auto from = to.log.end();
  to.log.append({cover.head(), frame, cover.tail()}, service);
  for (const auto slot : except)
    if (leaves_out(slot))
      jump(streams_[slot], from, to, to.log.end());
  if (ticket != 0)
    tickets_.wait_for_range(ticket, to.how, from, to.log.end(), getting());
}

bool stream_table::push(
  stream_slot slot, std::string_view frame, std::optional<service_type> service,
  delivery_tickets::key ticket) {
  const auto& s = streams_[slot];
  return s.now == state::open
         && enqueue(slot, frame_text::framed(framing_of(s), frame), service, ticket);
}

bool stream_table::push(stream_slot slot, shared_frame& frame) {
  ++pushed_;
  const auto& s = streams_[slot];
  if (s.now != state::open)
    return false;
  if (!enqueue(slot, frame.as(framing_of(s)), frame.service(), frame.ticket()))
    return false;
  if (blocked(s))
    return true;
  ++shared_references_;
  if (std::exchange(frame.round, round_) != round_)
    shared_bytes_ += private_queue::cost(frame.size());
  return true;
}

/// Queues a frame behind all that the open stream is to send now.
bool stream_table::enqueue(
  stream_slot slot, frame_text_ptr text, std::optional<service_type> service,
  delivery_tickets::key ticket) {
  auto& s = streams_[slot];
  if (!fits(slot, text->view().size()))
    return false;
  auto& mine = own(s);
  // First what takes memory: a frame that waits without being counted would be counted as done.
  mine.reserve_one();
  make_ready(slot);
  tickets_.wait_for_target(ticket);
  mine.push(
    {.due = log_of(s).end(), .text = std::move(text), .ticket = ticket, .service = service});
  return true;
}

/// Whether so many bytes more may wait for an open stream alone. One that has too many is closed.
bool stream_table::fits(stream_slot slot, std::size_t bytes) {
  const auto waiting = streams_[slot].own ? streams_[slot].own->bytes() : 0;
  if (waiting != 0 && waiting + private_queue::cost(bytes) > options_.private_queue_bytes) {
    ++tally_.overflowed;
    lap(slot);
    return false;
  }
  if (frame_text::held_bytes() > options_.max_private_bytes && made_room_ != round_)
    make_room();
  // It may have been one of those that do not read.
  return streams_[slot].now == state::open;
}

/// Once a round: what streams hold that do read is sent in it.
void stream_table::make_room() {
  made_room_ = round_;
  // From the back, as in `expire`.
  for (auto i = blocked_.size(); i-- > 0;) {
    if (frame_text::held_bytes() <= options_.max_private_bytes)
      return;
    const auto& s = streams_[blocked_[i]];
    if (s.now != state::open || !s.own || s.own->bytes() == 0)
      continue;
    ++tally_.overflowed;
    lap(blocked_[i]);
  }
}

bool stream_table::room_for(const shared_frame& frame) const noexcept {
  if (pushed_ >= slice_pushes)
    return false;
  if (shared_references_ == 0 || frame.round == round_)
    return shared_references_
           < std::max<std::size_t>(options_.log_bytes / sizeof(private_frame), 1);
  return shared_bytes_ + private_queue::cost(frame.size()) <= most_shared_bytes();
}

std::size_t stream_table::most_shared_bytes() const noexcept {
  return std::min(options_.window_bytes, options_.private_queue_bytes / 2);
}

bool stream_table::run_slice(std::size_t sends) {
  pushed_ = 0;
  slice_done_ = 0;
  const auto begin = tally_.bytes;
  run_replays();
  const bool both = served_frames_ != frames_;
  run_ready(both ? (sends + 1) / 2 : sends, begin + (both ? slice_bytes / 2 : slice_bytes));
  return run_pass(sends, begin + slice_bytes) || !ready_.empty() || !catching_up_.empty();
}

/// Serves streams with something of their own, in their order.
void stream_table::run_ready(std::size_t sends, std::uint64_t last_byte) {
  while (!ready_.empty() && !slice_full(sends, last_byte)) {
    const auto slot = ready_.front();
    ready_.pop_front();
    auto& s = streams_[slot];
    s.ready = false;
    // It may have been served already, in a pass.
    if (s.now < state::open || blocked(s) || has_all(s))
      continue;
    ++slice_done_;
    if (!join_batch(slot)) {
      send_batch();
      serve(slot);
    }
  }
  // Before the pass, which may come to the same streams.
  send_batch();
  if (!ready_.empty())
    return;
  ++round_;
  shared_references_ = 0;
  shared_bytes_ = 0;
}

/// True if the slice is full before the pass has come to its end.
bool stream_table::run_pass(std::size_t sends, std::uint64_t last_byte) {
  while (served_frames_ != frames_) {
    if (!in_pass_)
      begin_pass();
    for (; next_ < streams_.size(); ++next_) {
      const auto& s = streams_[next_];
      if (s.now < state::open || blocked(s) || !behind(s))
        continue;
      if (slice_full(sends, last_byte)) {
        send_batch();
        return true;
      }
      ++slice_done_;
      if (!join_batch(next_)) {
        // First: if serving fails, no batch is left for a time when its slots have other streams.
        send_batch();
        serve(next_);
      }
    }
    send_batch();
    finish_pass();
  }
  return false;
}

bool stream_table::slice_full(std::size_t sends, std::uint64_t last_byte) const noexcept {
  return slice_done_ >= sends || tally_.bytes + batch_bytes_ > last_byte;
}

/// Whether a log has something that the stream is to send; where jumps wait, it may.
bool stream_table::behind(const stream& s) const {
  return s.cursor < limit(s) || (s.own && s.own->has_jumps());
}

/// Calls `use(lane, from, to)` for each stretch of a log that the stream is yet to send, in its
/// order.
template <class Use>
void stream_table::each_stretch(const stream& s, Use use) const {
  const auto* where = &cursor_lane(s);
  auto cursor = s.cursor;
  for (std::size_t i = 0; s.own && i < s.own->size(); ++i) {
    const auto& frame = s.own->at(i);
    if (cursor < frame.due)
      use(*where, cursor, frame.due);
    cursor = std::max(cursor, frame.due);
    if (frame.jumps()) {
      cursor = frame.on;
      where = &lanes_[lane_index(framing_of(s), frame.on_addressed)];
    }
  }
  if (cursor < limit(s))
    use(*where, cursor, limit(s));
}

/// Whether an open stream has nothing to send, and nothing to end for.
bool stream_table::has_all(const stream& s) const {
  return s.now == state::open && (!s.own || s.own->empty()) && !behind(s);
}

/// Gives some of the streams that catch up their turn.
void stream_table::run_replays() {
  for (auto turns = std::min(catching_up_.size(), slice_turns); turns > 0; --turns) {
    const auto slot = catching_up_.front();
    catching_up_.pop_front();
    auto& s = streams_[slot];
    s.catching_up = false;
    // A stream that waits for its socket as well is a new one in an old slot.
    if (s.now != state::free && !s.watched)
      serve(slot);
  }
}

void stream_table::wait_for_turn(stream_slot slot) {
  block(slot, false);
  auto& s = streams_[slot];
  if (!s.catching_up)
    catching_up_.push_back(slot);
  s.catching_up = true;
}

void stream_table::begin_pass() {
  in_pass_ = true;
  next_ = 0;
  pass_frames_ = frames_;
  for (auto& one : lanes_)
    one.pass_end = one.log.end();
}

void stream_table::finish_pass() {
  in_pass_ = false;
  served_frames_ = pass_frames_;
  for (auto& one : lanes_)
    one.served = one.pass_end;
  trim_logs();
}

/// Streams that are not blocked have all that was offered to them.
void stream_table::trim_logs() {
  if (!blocked_.empty())
    return;
  for (auto& one : lanes_)
    one.log.trim(one.served);
}

void stream_table::release_memory() {
  for (auto& one : lanes_)
    one.log.release_memory();
}

std::size_t stream_table::log_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const auto& one : lanes_)
    bytes += static_cast<std::size_t>(one.log.end() - one.log.begin());
  return bytes;
}

void stream_table::writable(stream_slot slot) {
  if (streams_[slot].now != state::free && blocked(streams_[slot]))
    serve(slot);
}

void stream_table::expire(time_point now) {
  // From the back: ending a stream moves the last one into its place.
  for (auto i = blocked_.size(); i-- > 0;) {
    const auto& s = streams_[blocked_[i]];
    if (s.now != state::closing)
      continue;
    auto& deadline = s.own->end->deadline;
    if (deadline == time_point{})
      deadline = now + options_.linger;
    else if (deadline <= now)
      end_stream(blocked_[i], end_reason::server_closed);
  }
  trim_logs();
}

log_position stream_table::limit(const stream& s) const {
  return s.now == state::closing ? s.own->end->stop : log_of(s).end();
}

private_queue& stream_table::own(stream& s) {
  if (!s.own)
    s.own = std::make_unique<private_queue>();
  return *s.own;
}

void stream_table::make_ready(stream_slot slot) {
  if (!streams_[slot].ready)
    ready_.push_back(slot);
  streams_[slot].ready = true;
}

/// Whether the stream is sent to with the batch: an open one that has one piece to send, of the log
/// or of its own.
bool stream_table::join_batch(stream_slot slot) {
  const auto& s = streams_[slot];
  const auto piece = s.now == state::open ? only_piece(s) : std::string_view{};
  if (piece.empty())
    return false;
  add_to_batch(slot, piece);
  if (batch_.size() == max_batch)
    send_batch();
  return true;
}

void stream_table::add_to_batch(stream_slot slot, std::string_view bytes) {
  const auto& s = streams_[slot];
  batch_.push_back(slot);
  batch_sends_.push_back({s.fd, bytes.data(), bytes.size(), 0});
  if (!s.own || s.own->empty() || !s.own->at(0).opening())
    batch_pauses_ = stream_io::pauses::some;
  batch_bytes_ += bytes.size();
}

/// All that an open stream has to send, if it lies in one piece; else nothing.
std::string_view stream_table::only_piece(const stream& s) const {
  if (!s.own || s.own->empty()) {
    const auto& log = log_of(s);
    const auto view = log.view(s.cursor, log.end());
    return view.second.empty() ? view.first : std::string_view{};
  }
  const auto& frame = s.own->at(0);
  if (s.own->size() != 1 || frame.missed || behind(s))
    return {};
  return frame.bytes().substr(s.own->sent());
}

void stream_table::send_batch() {
  send_batch([this](stream_slot slot, const socket_send& send) { apply_result(slot, send); });
}

/// An exception of one stream is thrown on once all others have been advanced: they have got
/// theirs.
template <class Apply>
void stream_table::send_batch(Apply apply) {
  if (batch_.empty())
    return;
  io_.write_each(batch_sends_, batch_pauses_);
  std::exception_ptr failed;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    try {
      apply(batch_[i], batch_sends_[i]);
    } catch (...) {
      failed = std::current_exception();
    }
  }
  batch_.clear();
  batch_sends_.clear();
  batch_bytes_ = 0;
  batch_pauses_ = stream_io::pauses::none;
  if (failed)
    std::rethrow_exception(failed);
}

void stream_table::apply_result(stream_slot slot, const socket_send& send) {
  if (send.result < 0) {
    end_stream(slot, end_reason::error);
    return;
  }
  const auto taken = static_cast<std::size_t>(send.result);
  auto& s = streams_[slot];
  advance(s, taken);
  if (taken < send.count)
    block(slot, true);
  else
    s.own.reset();
}

/// What the stream has not taken of the text waits in its queue.
void stream_table::apply_told(
  stream_slot slot, const socket_send& send, const frame_text_ptr& text) {
  if (send.result < 0) {
    end_stream(slot, end_reason::error);
    return;
  }
  const auto taken = static_cast<std::size_t>(send.result);
  auto& s = streams_[slot];
  note_sent(s, taken);
  if (taken == send.count)
    return;
  try {
    own(s).push({.due = s.cursor, .text = text});
  } catch (...) {
    // Whatever follows half a text would be a part of it.
    end_stream(slot, end_reason::error);
    throw;
  }
  s.own->sent_more(taken);
  block(slot, true);
}

void stream_table::serve(stream_slot slot) {
  auto& s = streams_[slot];
  if (s.now < state::open)
    return;
  part_list parts;
  const auto stop = tally_.bytes + options_.turn_bytes;
  const auto load = [&s] {
    if (s.own)
      s.own->load();
    return true;
  };
  std::size_t count = 0;
  while (load() && (count = gather(s, parts)) != 0) {
    if (s.own && s.own->replaying() && tally_.bytes > stop) {
      s.own->unload();
      wait_for_turn(slot);
      return;
    }
    std::size_t offered = 0;
    for (std::size_t i = 0; i < count; ++i)
      offered += parts.at(i).iov_len;
    const auto taken = io_.write(s.fd, parts.data(), static_cast<int>(count));
    if (taken < 0) {
      end_stream(slot, end_reason::error);
      return;
    }
    advance(s, static_cast<std::size_t>(taken));
    if (static_cast<std::size_t>(taken) < offered) {
      if (s.own)
        s.own->unload();
      block(slot, true);
      return;
    }
  }
  if (s.now == state::closing) {
    end_stream(slot, end_reason::server_closed);
    return;
  }
  assert(!s.own || s.own->empty());
  s.own.reset();
  unblock(slot);
}

std::size_t stream_table::gather(const stream& s, part_list& parts) const {
  std::size_t count = 0;
  const auto add = [&](std::string_view bytes) {
    if (!bytes.empty())
      parts.at(count++) = part(bytes);
  };
  const auto* log = &cursor_lane(s).log;
  const auto add_log = [&](log_position from, log_position to) {
    if (from >= to)
      return;
    const auto view = log->view(from, to);
    add(view.first);
    add(view.second);
  };
  auto cursor = s.cursor;
  const auto frames = s.own ? s.own->size() : 0;
  auto sent = s.own ? s.own->sent() : 0;
  for (std::size_t i = 0; i < frames; ++i) {
    // Two pieces of the log, and the frame; two more for the log behind the last frame.
    if (count + 5 > max_parts)
      return count;
    const auto& frame = s.own->at(i);
    add_log(cursor, frame.due);
    add(frame.bytes().substr(sent));
    if (frame.missed && !frame.missed->last())
      return count;
    cursor = std::max(cursor, frame.due);
    if (frame.jumps()) {
      cursor = frame.on;
      log = &lanes_[lane_index(framing_of(s), frame.on_addressed)].log;
    }
    sent = 0;
  }
  add_log(cursor, limit(s));
  return count;
}

void stream_table::note_sent(stream& s, std::size_t bytes) {
  tally_.bytes += bytes;
  s.unacknowledged = true;
}

void stream_table::advance(stream& s, std::size_t bytes) {
  note_sent(s, bytes);
  while (s.own && !s.own->empty()) {
    const auto& frame = s.own->at(0);
    if (s.cursor < frame.due) {
      const auto step = std::min<log_position>(bytes, frame.due - s.cursor);
      advance_log(s, s.cursor + step);
      bytes -= step;
      if (s.cursor < frame.due)
        return;
    }
    if (frame.jumps()) {
      take_jump(s);
      continue;
    }
    const auto size = frame.bytes().size();
    const auto step = std::min(bytes, size - s.own->sent());
    s.own->sent_more(step);
    bytes -= step;
    if (s.own->sent() < size)
      return;
    if (frame.missed && finish_piece(s))
      return;
    finish_frame(s);
  }
  advance_log(s, s.cursor + bytes);
}

void stream_table::advance_log(stream& s, log_position to) {
  if (s.cursor == to)
    return;
  const auto& log = cursor_lane(s).log;
  const auto& frames = log.count(s.cursor, to);
  for (std::size_t i = 0; i < service_type_count; ++i)
    tally_.sent[i] += frames[i];
  // Nobody waits for what the other log has.
  if (!s.cursor_addressed && !tickets_.idle())
    tickets_.written(framing_of(s), s.cursor, to, log);
  s.cursor = to;
}

/// Has a stream go on where its first frame, a jump, goes to.
void stream_table::take_jump(stream& s) {
  const auto frame = s.own->pop();
  s.cursor = frame.on;
  s.cursor_addressed = frame.on_addressed;
}

/// Whether there are more pieces.
bool stream_table::finish_piece(stream& s) {
  const auto& missed = *s.own->at(0).missed;
  for (std::size_t i = 0; i < service_type_count; ++i) {
    tally_.sent[i] += missed.counts()[i];
    tally_.replayed += missed.counts()[i];
  }
  if (missed.last())
    return false;
  s.own->next_piece();
  return true;
}

void stream_table::finish_frame(stream& s) {
  const auto frame = s.own->pop();
  if (frame.service)
    ++tally_.sent.at(static_cast<std::size_t>(*frame.service));
  tickets_.target_done(frame.ticket, true);
}

/// Leaves a stream out of passes: until its socket takes bytes again, or until it is served.
void stream_table::block(stream_slot slot, bool watch_socket) {
  auto& s = streams_[slot];
  if (!blocked(s)) {
    blocked_.push_back(slot);
    s.link = static_cast<std::uint32_t>(blocked_.size() - 1);
  }
  watch(slot, watch_socket);
}

void stream_table::watch(stream_slot slot, bool on) {
  auto& s = streams_[slot];
  if (s.watched == on)
    return;
  s.watched = on;
  io_.watch_writable(s.fd, slot, on);
}

void stream_table::unblock(stream_slot slot) {
  auto& s = streams_[slot];
  if (!blocked(s))
    return;
  const auto last = blocked_.back();
  blocked_[s.link] = last;
  streams_[last].link = s.link;
  s.link = none;
  blocked_.pop_back();
  watch(slot, false);
}

void stream_table::lap_behind(const lane& in, log_position begin) {
  if (begin == in.log.begin())
    return;
  for (auto i = blocked_.size(); i-- > 0;) {
    const auto slot = blocked_[i];
    if (!needs_before(streams_[slot], in, begin))
      continue;
    ++tally_.lagged;
    lap(slot);
  }
}

/// Whether the stream is yet to send something of a log that lies before `begin`.
bool stream_table::needs_before(const stream& s, const lane& in, log_position begin) const {
  if (s.now < state::open)
    return false;
  if (!s.own || !s.own->has_jumps())
    return &cursor_lane(s) == &in && s.cursor < begin && s.cursor < limit(s);
  bool needs = false;
  each_stretch(s, [&](const lane& where, log_position from, log_position /*to*/) {
    needs = needs || (&where == &in && from < begin);
  });
  return needs;
}

/// Takes from a stream all that it has not begun to send, but for its beginning, and has it say so.
void stream_table::lap(stream_slot slot) {
  auto& s = streams_[slot];
  if (s.now == state::closing) {
    end_stream(slot, end_reason::server_closed);
    return;
  }
  fail_log(s);
  // It goes nowhere else: what is left of it is where its cursor is.
  follow(s, s.cursor_addressed);
  const auto& log = log_of(s);
  std::optional<private_frame> rest;
  std::size_t sent = 0;
  // Before the log there is no frame that it is in the middle of.
  const auto stop = s.cursor < log.begin() ? s.cursor : log.frame_end(s.cursor);
  if (stop != s.cursor) {
    if (stop - s.cursor > max_copied_rest) {
      while (s.own && !s.own->empty())
        fail_frame(s.own->pop());
      s.cursor = log.end();
      end_stream(slot, end_reason::error);
      return;
    }
    const auto view = log.view(s.cursor, stop);
    rest = {.due = s.cursor, .text = frame_text::of({view.first, view.second})};
  } else if (s.own && !s.own->empty() && (s.own->sent() != 0 || s.own->at(0).opening())) {
    s.own->load();
    sent = s.own->sent();
    rest = s.own->pop();
    rest->due = s.cursor;
    if (const auto missed = std::move(rest->missed))
      rest->text = frame_text::of({missed->piece()});
  }
  while (s.own && !s.own->empty())
    fail_frame(s.own->pop());
  if (rest) {
    own(s).push(std::move(*rest));
    own(s).sent_more(sent);
  }
  std::string farewell;
  append_event(farewell, {}, "lagged", R"({"reason":"read too slowly"})", options_.format);
  begin_closing(slot, {s.cursor, end_reason::error, true, {}}, ending(s, farewell));
}

void stream_table::fail_log(const stream& s) {
  if (s.now < state::open)
    return;
  each_stretch(s, [&](const lane& where, log_position from, log_position to) {
    const auto& frames = where.log.count(from, to);
    for (std::size_t i = 0; i < service_type_count; ++i)
      tally_.failed[i] += frames[i];
    if (where.who == hearing::everything && !tickets_.idle())
      tickets_.lost(where.how, from, to);
  });
}

void stream_table::fail_frame(const private_frame& frame) {
  if (frame.service)
    ++tally_.failed.at(static_cast<std::size_t>(*frame.service));
  tickets_.target_done(frame.ticket, false);
}

stream_backlog stream_table::backlog_of(stream_slot slot) const {
  const auto& s = streams_[slot];
  stream_backlog behind;
  each_stretch(s, [&](const lane& where, log_position from, log_position to) {
    const auto& frames = where.log.count(from, to);
    behind.events += std::accumulate(frames.begin(), frames.end(), std::size_t{0});
    behind.bytes += to - from;
  });
  for (std::size_t i = 0; s.own && i < s.own->size(); ++i) {
    const auto& frame = s.own->at(i);
    behind.replaying = behind.replaying || frame.missed;
    if (frame.missed)
      continue;
    behind.events += frame.service ? 1 : 0;
    behind.bytes += frame.bytes().size() - (i == 0 ? s.own->sent() : 0);
  }
  return behind;
}

std::optional<std::string> stream_table::check() const {
  std::size_t used = 0;
  std::array<std::size_t, lane_count> open{};
  std::size_t left_out = 0;
  std::size_t listed = 0;
  for (stream_slot slot = 0; slot < streams_.size(); ++slot) {
    const auto& s = streams_[slot];
    listed += (s.ready ? 1U : 0U) + (s.catching_up ? 1U : 0U);
    if (s.now == state::free)
      continue;
    ++used;
    open.at(lane_index(framing_of(s), s.addressed)) += s.now == state::open ? 1U : 0U;
    if (s.now == state::closing && (!s.own || !s.own->end))
      return "a stream is closing that has no end";
    for (const auto& one : lanes_)
      if (needs_before(s, one, one.log.begin()))
        return "a stream is behind the log";
    if (!blocked(s))
      continue;
    ++left_out;
    if (s.link >= blocked_.size() || blocked_[s.link] != slot)
      return "a blocked stream is not listed";
  }
  const bool counted =
    std::equal(open.begin(), open.end(), lanes_.begin(), [](std::size_t count, const lane& one) {
      return count == one.open;
    });
  if (used != size_ || !counted)
    return "streams are miscounted";
  if (left_out != blocked_.size() || listed != ready_.size() + catching_up_.size())
    return "a list has streams that it should not have";
  for (auto slot = first_free_; slot != none; slot = streams_[slot].link, ++used)
    if (slot >= streams_.size() || streams_[slot].now != state::free || used == streams_.size())
      return "a slot is free that should not be";
  if (used != streams_.size())
    return "a free slot is lost";
  return std::nullopt;
}

void stream_table::end_stream(stream_slot slot, end_reason reason) {
  auto& s = streams_[slot];
  fail_log(s);
  unblock(slot);
  ended_stream gone{slot, s.fd, token_of(slot), reason, true, s.lease};
  while (s.own && !s.own->empty())
    fail_frame(s.own->pop());
  if (s.now == state::open)
    --lane_of(s).open;
  if (s.now == state::closing) {
    gone.reason = s.own->end->reason;
    gone.report = s.own->end->report;
  }
  const bool ready = s.ready;
  const bool catching_up = s.catching_up;
  s = stream{};
  s.ready = ready;
  s.catching_up = catching_up;
  s.link = std::exchange(first_free_, slot);
  --size_;
  io_.ended(gone);
}

} // namespace herald
