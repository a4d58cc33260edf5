#include "http/streams/stream_openings.hpp"

namespace herald {

void stream_openings::add(stream_slot slot, client who, time_point now) {
  const auto when = now + timeout_;
  deadlines_.push_back({when, slot});
  waiting_.insert_or_assign(slot, waiting_client{std::move(who), when});
  last_added_ = now;
  ++added_since_release_;
}

const stream_openings::client* stream_openings::find(stream_slot slot) const {
  const auto found = waiting_.find(slot);
  return found == waiting_.end() ? nullptr : &found->second;
}

void stream_openings::set_right(
  stream_slot slot, std::optional<wall_time> expires_at,
  const std::optional<client_address>& subject) {
  const auto found = waiting_.find(slot);
  if (found == waiting_.end())
    return;
  found->second.expires_at = expires_at;
  found->second.replays_of.subject = subject;
}

std::optional<stream_slot> stream_openings::overdue(time_point now) {
  // Mostly deadlines of clients that have long been answered.
  for (; !deadlines_.empty(); deadlines_.pop_front()) {
    const auto& first = deadlines_.front();
    const auto client = waiting_.find(first.slot);
    if (client == waiting_.end() || client->second.deadline != first.when)
      continue;
    return first.when > now ? std::nullopt : std::optional{first.slot};
  }
  return std::nullopt;
}

std::optional<stream_openings::time_point> stream_openings::announcement_due() const {
  return unannounced_.empty() ? std::nullopt : std::optional{next_announcement_};
}

bool stream_openings::release_memory() {
  if (added_since_release_ < storm || !waiting_.empty())
    return false;
  added_since_release_ = 0;
  // clear() would keep it.
  std::unordered_map<stream_slot, waiting_client>{}.swap(waiting_);
  std::vector<open_connection>{}.swap(unannounced_);
  return true;
}

} // namespace herald
