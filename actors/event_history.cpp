#include "actors/event_history.hpp"

#include <algorithm>
#include <utility>

namespace herald {

std::size_t event_history::append(event_ptr what, audience to, time_point now) {
  const auto text = what->name.size() + what->data.size() + (to.only ? to.only->str().size() : 0);
  entry made{std::move(what), std::move(to), now, text + sizeof(entry) + sizeof(event)};
  const auto bytes = made.bytes;
  kept_.push_back(std::move(made));
  bytes_ += bytes;
  std::size_t evicted = expire(now);
  for (; kept_.size() > limits_.max_events || bytes_ > limits_.max_bytes; ++evicted)
    evict_oldest();
  return evicted;
}

std::size_t event_history::expire(time_point now) {
  std::size_t evicted = 0;
  for (; !kept_.empty() && now - kept_.front().at > limits_.max_age; ++evicted)
    evict_oldest();
  return evicted;
}

event_history::missed
event_history::since(std::optional<event_id> cursor, const request_id& id) const {
  missed result;
  if (!cursor || *cursor < floor_ || *cursor > last()) {
    result.gap = floor_;
    cursor = floor_;
  }
  const auto first =
    std::upper_bound(kept_.begin(), kept_.end(), *cursor, [](event_id value, const entry& e) {
      return value < e.what->id;
    });
  for (auto it = first; it != kept_.end(); ++it)
    if (it->to.everyone() || *it->to.only == id)
      result.events.push_back(it->what);
  return result;
}

void event_history::evict_oldest() {
  floor_ = kept_.front().what->id;
  bytes_ -= kept_.front().bytes;
  kept_.pop_front();
}

event_id event_history::last() const {
  return std::max({floor_, last_passed_, kept_.empty() ? floor_ : kept_.back().what->id});
}

} // namespace herald
