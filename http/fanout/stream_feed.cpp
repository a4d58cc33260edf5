#include "http/fanout/stream_feed.hpp"

#include <optional>
#include <string_view>

#include "http/fanout/sse_format.hpp"

namespace herald {

namespace {

/// Formatting memory above this is given back.
constexpr std::size_t keep_scratch = std::size_t{64} * 1024;
constexpr std::string_view heartbeat = "heartbeat";

} // namespace

bool stream_feed::put(const deliver& order, time_point now) {
  const auto& batch = *order.batch;
  if (order.ticket != 0 && ticket_ == 0)
    ticket_ = table_.tickets().open(order.ticket, order.answer_by);
  for (std::size_t items = 0; progress_ < batch.size(); ++items, ++progress_) {
    const auto& item = batch[progress_];
    if (items == slice)
      return false;
    if (item.only)
      send_to_one(item);
    else if (!broadcast(*item.what, now))
      return false;
  }
  if (ticket_ != 0)
    table_.tickets().seal(ticket_);
  ticket_ = 0;
  progress_ = 0;
  return true;
}

bool stream_feed::broadcast(const event& what, time_point now) {
  if (table_.open_streams() == 0)
    return true;
  scratch_.clear();
  append_event(scratch_, what.id, what.name, what.data, format_);
  if (!table_.room_for(scratch_.size()))
    return false;
  table_.broadcast(scratch_, what.service, ticket_);
  note_time(what);
  last_frame_ = now;
  return true;
}

void stream_feed::send_to_one(const delivery& item) {
  const auto& what = *item.what;
  const auto slot = table_.find(*item.only);
  const bool known = slot && !table_.waiting(*slot);
  if (known) {
    scratch_.clear();
    append_event(scratch_, what.id, what.name, what.data, format_);
    if (table_.push(*slot, scratch_, what.service, ticket_))
      return note_time(what);
  }
  failures_.push_back({*item.only, what.service, !known});
}

void stream_feed::note_time(const event& what) {
  timed_.push_back({table_.frames(), what.accepted, what.service});
}

void stream_feed::put_heartbeat(time_point now, bool ended) {
  scratch_.clear();
  append_comment(scratch_, heartbeat);
  if (ended)
    scratch_ += '\n';
  broadcast_uncounted(now);
}

void stream_feed::put_heartbeat_event(time_point now) {
  scratch_.clear();
  append_event(scratch_, {}, heartbeat, {}, format_);
  broadcast_uncounted(now);
}

void stream_feed::put_heartbeat_event(stream_slot slot) {
  scratch_.clear();
  append_event(scratch_, {}, heartbeat, {}, format_);
  (void)table_.push(slot, scratch_, std::nullopt);
}

void stream_feed::broadcast_uncounted(time_point now) {
  last_frame_ = now;
  if (table_.room_for(scratch_.size()))
    table_.broadcast(scratch_, std::nullopt);
}

void stream_feed::release_memory() {
  if (scratch_.capacity() > keep_scratch)
    std::string{}.swap(scratch_);
}

} // namespace herald
