#include "http/fanout/stream_feed.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "http/fanout/sse_format.hpp"
#include "messages/wire/expiry_notice.hpp"

namespace herald {

namespace {

/// Formatting memory above this is given back.
constexpr std::size_t keep_scratch = std::size_t{64} * 1024;
constexpr std::string_view heartbeat = "heartbeat";

hearing hearing_of(const reach_ptr& hears) {
  return hears && !hears->broadcast ? hearing::addressed : hearing::everything;
}

} // namespace

void stream_feed::attach(
  stream_slot slot, stream_start start, missed_events missed, event_id live_from,
  const reach_ptr& hears) {
  if (hears && !hears->plain())
    index_.set(slot, *hears);
  start.hears = hearing_of(hears);
  table_.attach(slot, std::move(start), std::move(missed), live_from);
}

void stream_feed::change(stream_slot slot, const reach_ptr& hears) {
  if (!table_.open(slot))
    return;
  // First: it needs no memory to go back.
  const auto before = index_.hears_broadcast(slot) ? hearing::everything : hearing::addressed;
  table_.change_hearing(slot, hearing_of(hears));
  if (!hears || hears->plain())
    return index_.remove(slot);
  try {
    index_.set(slot, *hears);
  } catch (...) {
    table_.change_hearing(slot, before);
    throw;
  }
}

void stream_feed::ended(stream_slot slot) noexcept {
  index_.remove(slot);
  targets_.ended(slot);
}

bool stream_feed::put(const deliver& order, time_point now) {
  const auto& batch = *order.batch;
  if (order.ticket != 0 && ticket_ == 0)
    ticket_ = table_.tickets().open(order.ticket, order.answer_by);
  for (std::size_t items = 0; progress_ < batch.size(); ++items, ++progress_) {
    const auto& item = batch[progress_];
    if (items == slice)
      return false;
    if (!put_one(item, now))
      return false;
    raise_places(item.what->id);
  }
  if (ticket_ != 0)
    table_.tickets().seal(ticket_);
  ticket_ = 0;
  progress_ = 0;
  return true;
}

bool stream_feed::put_one(const delivery& item, time_point now) {
  if (item.some)
    return send_to_some(item, now);
  if (!item.only)
    return broadcast(*item.what, now, {});
  send_to_one(item);
  return true;
}

bool stream_feed::broadcast(
  const event& what, time_point now, std::span<const stream_slot> except) {
  if (table_.open_streams(hearing::everything) == 0)
    return true;
  scratch_.clear();
  append_event(scratch_, what.id, what.name, what.data, format_);
  if (!table_.room_for(scratch_.size()))
    return false;
  table_.broadcast(scratch_, what.service, ticket_, except);
  note_time(what, 0);
  last_frames_.at(static_cast<std::size_t>(hearing::everything)) = now;
  return true;
}

void stream_feed::send_to_one(const delivery& item) {
  const auto& what = *item.what;
  const auto slot = open_slot(*item.only);
  if (slot) {
    scratch_.clear();
    append_event(scratch_, what.id, what.name, what.data, format_);
    if (table_.push(*slot, scratch_, what.service, ticket_))
      return note_time(what, table_.rounds());
  }
  failures_.push_back({*item.only, what.service, !slot});
}

std::optional<stream_slot> stream_feed::open_slot(const token& stream) const {
  const auto slot = table_.find(stream);
  return slot && table_.open(*slot) ? slot : std::nullopt;
}

/// True once all have it; goes on where it has left off.
bool stream_feed::send_to_some(const delivery& item, time_point now) {
  const auto& what = *item.what;
  const auto& to = item.some->to;
  if (!to || to->everyone()) {
    excepted_.clear();
    for (const auto& stream : item.some->except)
      if (const auto slot = open_slot(stream))
        excepted_.push_back(*slot);
    std::sort(excepted_.begin(), excepted_.end());
    excepted_.erase(std::unique(excepted_.begin(), excepted_.end()), excepted_.end());
    return broadcast(what, now, excepted_);
  }
  if (!frame_ && !begin_some(item))
    return true;
  for (; const auto slot = targets_.next(); targets_.done()) {
    // One that is being closed is no member any more.
    if (!table_.open(*slot))
      continue;
    if (!table_.room_for(*frame_))
      return false;
    if (table_.push(*slot, *frame_))
      pushed_ = true;
    else
      failures_.push_back({{}, what.service, false});
  }
  if (pushed_)
    note_time(what, table_.rounds());
  frame_.reset();
  return true;
}

/// Whether there are any.
bool stream_feed::begin_some(const delivery& item) {
  const auto& some = *item.some;
  index_.find(*some.to, targets_.restart());
  if (some.page) {
    if (const auto slot = open_slot(*some.page))
      targets_.add(*slot);
    else
      failures_.push_back({*some.page, item.what->service, true});
  }
  for (const auto& stream : some.except)
    if (const auto slot = open_slot(stream))
      targets_.leave_out(*slot);
  if (!targets_.next())
    return false;
  scratch_.clear();
  append_event(scratch_, item.what->id, item.what->name, item.what->data, format_);
  pushed_ = false;
  frame_.emplace(scratch_, item.what->service, ticket_);
  return true;
}

void stream_feed::note_time(const event& what, std::uint64_t round) {
  timed_.push_back({table_.frames(), round, what.accepted, what.service});
}

void stream_feed::note_place(event_id place) {
  for (auto& noted : places_)
    noted.value = std::max(noted.value, place);
}

/// Streams may have got this event: they come back from no earlier place.
void stream_feed::raise_places(event_id to) {
  for (auto& noted : places_)
    if (noted.value != event_id{})
      noted.value = std::max(noted.value, to);
}

bool stream_feed::put_heartbeat(hearing who, const heartbeat_round::slice& some, bool ended) {
  std::string beat;
  append_comment(beat, heartbeat);
  if (ended)
    beat += '\n';
  return tell(who, some, beat);
}

bool stream_feed::put_heartbeat_event(hearing who, const heartbeat_round::slice& some) {
  std::string beat;
  append_event(beat, {}, heartbeat, {}, format_);
  return tell(who, some, beat);
}

/// The place that goes with a heartbeat, but not while an event is on its way that only some have:
/// to those who have it the place would be an earlier one, and to the others it could not be a
/// later one.
event_id stream_feed::place_to_tell(hearing who, const heartbeat_round::slice& some) {
  auto& place = places_.at(static_cast<std::size_t>(who));
  if (some.first)
    place.telling = place.value;
  if (!frame_)
    return place.value;
  place.telling = {};
  return {};
}

bool stream_feed::tell(hearing who, const heartbeat_round::slice& some, std::string_view beat) {
  const auto told = place_to_tell(who, some);
  std::array<std::string, cursor_form_count> texts;
  for (const auto form : {cursor_form::block, cursor_form::event}) {
    auto& text = texts.at(static_cast<std::size_t>(form));
    append_cursor(text, told, form);
    text += beat;
  }
  const bool queued = table_.tell(who, some.begin, some.end, {texts[0], texts[1]});
  auto& place = places_.at(static_cast<std::size_t>(who));
  if (some.last && place.telling == place.value)
    place = {};
  return queued;
}

void stream_feed::put_values(stream_slot slot, std::span<const event_ptr> values, event_id cursor) {
  for (const auto& value : values) {
    scratch_.clear();
    append_event(scratch_, value->id, value->name, value->data, format_);
    if (!table_.push(slot, scratch_, value->service))
      return;
  }
  scratch_.clear();
  append_cursor(scratch_, cursor, table_.cursor_form_of(slot));
  if (!scratch_.empty())
    (void)table_.push(slot, scratch_, std::nullopt);
}

void stream_feed::put_heartbeat_event(stream_slot slot) {
  scratch_.clear();
  append_event(scratch_, {}, heartbeat, {}, format_);
  (void)table_.push(slot, scratch_, std::nullopt);
}

void stream_feed::put_expiry(stream_slot slot, std::chrono::milliseconds left) {
  scratch_.clear();
  const auto notice = expiry_notice(left);
  append_event(scratch_, notice.id, notice.name, notice.data, format_);
  (void)table_.push(slot, scratch_, std::nullopt);
}

void stream_feed::release_memory() {
  if (!frame_)
    targets_.release_memory();
  if (scratch_.capacity() > keep_scratch)
    std::string{}.swap(scratch_);
}

} // namespace herald
