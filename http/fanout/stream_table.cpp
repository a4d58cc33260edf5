#include "http/fanout/stream_table.hpp"

#include <algorithm>
#include <cassert>
#include <exception>
#include <utility>

#include "http/fanout/sse_format.hpp"

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

void stream_io::write_each(std::span<socket_send> sends) {
  for (auto& send : sends) {
    const auto bytes = part({static_cast<const char*>(send.bytes), send.count});
    send.result = write(send.fd, &bytes, 1);
  }
}

stream_table::stream_table(stream_table_options options, stream_io& io)
  : options_(options),
    io_(io),
    lanes_{
      {{framing::bare, frame_log{options.log_bytes}},
       {framing::chunked, frame_log{options.log_bytes}}}} {
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
  s.cursor = log_of(s).end();
  ++lane_of(s).open;
  if (missed.empty())
    append_cursor(start.first, live_from);
  append_framed(start.head, start.how, start.first);
  own(s).push({s.cursor, std::move(start.head), std::nullopt, 0, nullptr, true});
  if (!missed.empty()) {
    auto rest = std::make_unique<replay>(
      std::move(missed), live_from, options_.piece_bytes, start.how, options_.format);
    own(s).push({s.cursor, {}, std::nullopt, 0, std::move(rest)});
  }
  make_ready(slot);
}

void stream_table::refuse(stream_slot slot, std::string answer, bool report, time_point now) {
  assert(streams_[slot].now == state::waiting);
  begin_closing(
    slot, {0, end_reason::server_closed, report, now + options_.linger}, std::move(answer));
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
  stream_slot slot, private_queue::closing how, std::string farewell) {
  auto& s = streams_[slot];
  if (s.now == state::open)
    --lane_of(s).open;
  s.now = state::closing;
  auto& mine = own(s);
  mine.end = how;
  if (!farewell.empty())
    mine.push({how.stop, std::move(farewell), std::nullopt, 0});
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

void stream_table::broadcast(
  std::string_view frame, std::optional<service_type> service, delivery_tickets::key ticket) {
  if (open_streams() == 0)
    return;
  // First: what is in one log is served, also where there is no memory for the other.
  ++frames_;
  for (auto& one : lanes_)
    if (one.open != 0)
      append(one, frame, service, ticket);
}

void stream_table::append(
  lane& to, std::string_view frame, std::optional<service_type> service,
  delivery_tickets::key ticket) {
  const frame_cover cover{to.how, frame.size()};
  const auto bytes = frame.size() + cover.size();
  if (bytes > to.log.capacity()) {
    if (service)
      tally_.failed.at(static_cast<std::size_t>(*service)) += to.open;
    return;
  }
  lap_behind(to, to.log.begin_after(bytes));
  const auto from = to.log.end();
  to.log.append({cover.head(), frame, cover.tail()}, service);
  if (ticket != 0)
    tickets_.wait_for_range(ticket, to.how, from, to.log.end(), to.open);
}

bool stream_table::push(
  stream_slot slot, std::string_view frame, std::optional<service_type> service,
  delivery_tickets::key ticket) {
  auto& s = streams_[slot];
  if (s.now != state::open)
    return false;
  std::string framed;
  append_framed(framed, framing_of(s), frame);
  auto& mine = own(s);
  if (mine.bytes() + framed.size() > options_.private_queue_bytes && mine.bytes() != 0) {
    ++tally_.overflowed;
    lap(slot);
    return false;
  }
  tickets_.wait_for_target(ticket);
  mine.push({log_of(s).end(), std::move(framed), service, ticket});
  make_ready(slot);
  return true;
}

bool stream_table::run_slice(std::size_t sends) {
  std::size_t done = 0;
  const auto last_byte = tally_.bytes + slice_bytes;
  const auto full = [&] {
    return done++ == sends || tally_.bytes + batch_bytes_ > last_byte;
  };
  run_replays();
  while (!ready_.empty()) {
    if (full())
      return true;
    const auto slot = ready_.back();
    ready_.pop_back();
    streams_[slot].ready = false;
    if (!blocked(streams_[slot]))
      serve(slot);
  }
  while (served_frames_ != frames_) {
    if (!in_pass_)
      begin_pass();
    for (; next_ < streams_.size(); ++next_) {
      const auto& s = streams_[next_];
      if (s.now < state::open || blocked(s) || s.cursor >= limit(s))
        continue;
      if (full()) {
        send_batch();
        return true;
      }
      if (!join_batch(next_)) {
        // First: if serving fails, no batch is left for a time when its slots have other streams.
        send_batch();
        serve(next_);
      }
    }
    send_batch();
    finish_pass();
  }
  return !catching_up_.empty();
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

/// Whether a stream that only follows the log, in one piece, is sent to with the batch.
bool stream_table::join_batch(stream_slot slot) {
  const auto& s = streams_[slot];
  if (s.own || s.now != state::open)
    return false;
  const auto& log = log_of(s);
  const auto view = log.view(s.cursor, log.end());
  if (!view.second.empty())
    return false;
  batch_.push_back(slot);
  batch_sends_.push_back({s.fd, view.first.data(), view.first.size(), 0});
  batch_bytes_ += view.first.size();
  if (batch_.size() == max_batch)
    send_batch();
  return true;
}

/// An exception of one stream is thrown on once all others have been advanced: they have got
/// theirs.
void stream_table::send_batch() {
  if (batch_.empty())
    return;
  io_.write_each(batch_sends_);
  std::exception_ptr failed;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    try {
      apply_result(batch_[i], batch_sends_[i]);
    } catch (...) {
      failed = std::current_exception();
    }
  }
  batch_.clear();
  batch_sends_.clear();
  batch_bytes_ = 0;
  if (failed)
    std::rethrow_exception(failed);
}

void stream_table::apply_result(stream_slot slot, const socket_send& send) {
  if (send.result < 0) {
    end_stream(slot, end_reason::error);
    return;
  }
  const auto taken = static_cast<std::size_t>(send.result);
  advance(streams_[slot], taken);
  if (taken < send.count)
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
  s.own.reset();
  unblock(slot);
}

std::size_t stream_table::gather(const stream& s, part_list& parts) const {
  std::size_t count = 0;
  const auto add = [&](std::string_view bytes) {
    if (!bytes.empty())
      parts.at(count++) = part(bytes);
  };
  const auto add_log = [&](log_position from, log_position to) {
    if (from >= to)
      return;
    const auto view = log_of(s).view(from, to);
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
    add(std::string_view{frame.bytes}.substr(sent));
    if (frame.missed && !frame.missed->last())
      return count;
    cursor = std::max(cursor, frame.due);
    sent = 0;
  }
  add_log(cursor, limit(s));
  return count;
}

void stream_table::advance(stream& s, std::size_t bytes) {
  tally_.bytes += bytes;
  while (s.own && !s.own->empty()) {
    const auto& frame = s.own->at(0);
    if (s.cursor < frame.due) {
      const auto step = std::min<log_position>(bytes, frame.due - s.cursor);
      advance_log(s, s.cursor + step);
      bytes -= step;
      if (s.cursor < frame.due)
        return;
    }
    const auto step = std::min(bytes, frame.bytes.size() - s.own->sent());
    s.own->sent_more(step);
    bytes -= step;
    if (s.own->sent() < frame.bytes.size())
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
  const auto& log = log_of(s);
  const auto& frames = log.count(s.cursor, to);
  for (std::size_t i = 0; i < service_type_count; ++i)
    tally_.sent[i] += frames[i];
  if (!tickets_.idle())
    tickets_.written(framing_of(s), s.cursor, to, log);
  s.cursor = to;
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
    const auto& s = streams_[slot];
    if (&lane_of(s) != &in || s.cursor >= begin || s.cursor >= limit(s))
      continue;
    ++tally_.lagged;
    lap(slot);
  }
}

/// Takes from a stream all that it has not begun to send, but for its beginning, and has it say so.
void stream_table::lap(stream_slot slot) {
  auto& s = streams_[slot];
  if (s.now == state::closing) {
    end_stream(slot, end_reason::server_closed);
    return;
  }
  fail_log(s);
  const auto& log = log_of(s);
  std::optional<private_frame> rest;
  std::size_t sent = 0;
  if (const auto stop = log.frame_end(s.cursor); stop != s.cursor) {
    if (stop - s.cursor > max_copied_rest) {
      s.cursor = log.end();
      end_stream(slot, end_reason::error);
      return;
    }
    const auto view = log.view(s.cursor, stop);
    rest = {s.cursor, std::string{view.first}.append(view.second), std::nullopt, 0};
  } else if (s.own && !s.own->empty() && (s.own->sent() != 0 || s.own->at(0).opening)) {
    s.own->load();
    sent = s.own->sent();
    rest = s.own->pop();
    rest->due = s.cursor;
    rest->missed.reset();
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
  const auto to = limit(s);
  if (s.now < state::open || s.cursor >= to)
    return;
  const auto& frames = log_of(s).count(s.cursor, to);
  for (std::size_t i = 0; i < service_type_count; ++i)
    tally_.failed[i] += frames[i];
  if (!tickets_.idle())
    tickets_.lost(framing_of(s), s.cursor, to);
}

void stream_table::fail_frame(const private_frame& frame) {
  if (frame.service)
    ++tally_.failed.at(static_cast<std::size_t>(*frame.service));
  tickets_.target_done(frame.ticket, false);
}

std::optional<std::string> stream_table::check() const {
  std::size_t used = 0;
  std::array<std::size_t, framing_count> open{};
  std::size_t left_out = 0;
  std::size_t listed = 0;
  for (stream_slot slot = 0; slot < streams_.size(); ++slot) {
    const auto& s = streams_[slot];
    listed += (s.ready ? 1U : 0U) + (s.catching_up ? 1U : 0U);
    if (s.now == state::free)
      continue;
    ++used;
    open[s.chunked] += s.now == state::open ? 1U : 0U;
    if (s.now == state::closing && (!s.own || !s.own->end))
      return "a stream is closing that has no end";
    if (s.now >= state::open && s.cursor < limit(s) && s.cursor < log_of(s).begin())
      return "a stream is behind the log";
    if (!blocked(s))
      continue;
    ++left_out;
    if (s.link >= blocked_.size() || blocked_[s.link] != slot)
      return "a blocked stream is not listed";
  }
  if (used != size_ || open[0] != lanes_[0].open || open[1] != lanes_[1].open)
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
