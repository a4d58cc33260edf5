#include "actors/history/event_history.hpp"

#include <algorithm>
#include <utility>

namespace herald {

namespace {

/// Evicted events may take up to this part of the limits until their block is let go.
constexpr std::size_t blocks = 64;
constexpr std::size_t max_block_events = 256;

} // namespace

event_history::event_history(const history_limits& limits, event_id last) : floor_(last) {
  limit(limits, {});
}

std::size_t event_history::limit(const history_limits& limits, time_point now) {
  limits_ = limits;
  block_events_ = std::clamp<std::size_t>(limits.max_events / blocks, 1, max_block_events);
  block_bytes_ = limits.max_bytes / blocks;
  return expire(now) + evict_surplus();
}

std::size_t event_history::append(kept_event one) {
  const auto& what = *one.what;
  const auto text =
    what.name.size() + what.data.size() + (one.to ? sizeof(audience) + one.to->bytes() : 0);
  const auto bytes = text + sizeof(kept_event) + sizeof(mark) + sizeof(event);
  const auto now = one.at;
  auto& tail = open_block();
  if (what.service == service_type::version && !one.to)
    versions_.push_back(one.what);
  marks_.push_back({what.id, now, bytes}); // the last step that can throw
  tail.events->append(std::move(one));
  tail.bytes += bytes;
  bytes_ += bytes;
  return expire(now) + evict_surplus();
}

std::size_t event_history::evict_surplus() {
  std::size_t evicted = 0;
  for (; marks_.size() > limits_.max_events || bytes_ > limits_.max_bytes; ++evicted)
    evict_oldest();
  return evicted;
}

std::size_t event_history::expire(time_point now) {
  std::size_t evicted = 0;
  for (; !marks_.empty() && now - marks_.front().at > limits_.max_age_s; ++evicted)
    evict_oldest();
  return evicted;
}

event_history::missed event_history::since(std::optional<event_id> cursor) {
  missed result;
  if (!cursor || *cursor > last()) {
    result.gap = last();
    return result;
  }
  if (*cursor < floor_) {
    result.gap = floor_;
    cursor = floor_;
  }
  const auto version = std::upper_bound(
    versions_.begin(), versions_.end(), *cursor,
    [](event_id value, const event_ptr& v) { return value < v->id; });
  result.versions.assign(version, versions_.end());
  const auto first =
    std::upper_bound(marks_.begin(), marks_.end(), *cursor, [](event_id value, const mark& m) {
      return value < m.id;
    });
  if (first == marks_.end())
    return result;
  // Left by an append that has failed.
  if (blocks_.back().events->size() == 0) {
    blocks_.pop_back();
    list_.reset();
  }
  const auto place = evicted_ + static_cast<std::size_t>(first - marks_.begin());
  const auto at = std::prev(
    std::upper_bound(blocks_.begin(), blocks_.end(), place, [](std::size_t value, const block& b) {
      return value < b.start;
    }));
  result.range = {
    block_list(), static_cast<std::size_t>(at - blocks_.begin()), place - at->start,
    evicted_ + marks_.size() - blocks_.back().start};
  return result;
}

std::shared_ptr<const history_range::block_list> event_history::block_list() {
  if (!list_) {
    auto made = std::make_shared<history_range::block_list>();
    made->reserve(blocks_.size());
    for (const auto& block : blocks_)
      made->push_back(block.events);
    list_ = std::move(made);
  }
  return list_;
}

/// The block that has room for one more event.
event_history::block& event_history::open_block() {
  if (blocks_.empty() || blocks_.back().events->full() || blocks_.back().bytes > block_bytes_) {
    blocks_.push_back(
      {std::make_shared<history_block>(block_events_), evicted_ + marks_.size(), 0});
    list_.reset();
  }
  return blocks_.back();
}

void event_history::evict_oldest() {
  floor_ = marks_.front().id;
  bytes_ -= marks_.front().bytes;
  marks_.pop_front();
  ++evicted_;
  if (!versions_.empty() && versions_.front()->id <= floor_)
    versions_.pop_front();
  const auto& front = blocks_.front();
  if (evicted_ == front.start + front.events->size()) {
    blocks_.pop_front();
    list_.reset();
  }
}

bool event_history::check() const {
  std::size_t bytes = 0;
  auto before = floor_;
  for (const auto& m : marks_) {
    if (m.id <= before)
      return false;
    before = m.id;
    bytes += m.bytes;
  }
  const bool in_step =
    blocks_.empty()
      ? marks_.empty()
      : evicted_ >= blocks_.front().start
          && evicted_ + marks_.size() == blocks_.back().start + blocks_.back().events->size();
  return in_step && bytes == bytes_;
}

event_id event_history::last() const {
  return std::max({floor_, last_passed_, marks_.empty() ? floor_ : marks_.back().id});
}

} // namespace herald
