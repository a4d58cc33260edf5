#include "http/fanout/delivery_tickets.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

namespace herald {

delivery_tickets::key delivery_tickets::open(ticket_id id) {
  do
    ++last_key_;
  while (last_key_ == 0 || open_.contains(last_key_));
  open_[last_key_].id = id;
  return last_key_;
}

void delivery_tickets::wait_for_range(
  key k, log_position from, log_position to, std::size_t streams) {
  assert(ranges_.empty() || ranges_.back().to <= from);
  if (streams == 0 || from == to)
    return;
  ++open_.at(k).missing;
  ranges_.push_back({from, to, k, streams});
}

void delivery_tickets::wait_for_target(key k) {
  if (k != 0)
    ++open_.at(k).missing;
}

void delivery_tickets::seal(key k) {
  one_done(k);
}

void delivery_tickets::written(log_position from, log_position to, const frame_log& log) {
  for (auto r = first_behind(from); r != ranges_.end() && r->from < to; ++r) {
    const auto& frames = log.count(std::max(from, r->from), std::min(to, r->to));
    open_.at(r->owner).delivered += std::accumulate(frames.begin(), frames.end(), std::size_t{0});
    if (r->to <= to)
      stream_done(*r);
  }
  drop_done_ranges();
}

void delivery_tickets::lost(log_position from, log_position limit) {
  for (auto r = first_behind(from); r != ranges_.end() && r->to <= limit; ++r)
    stream_done(*r);
  drop_done_ranges();
}

void delivery_tickets::target_done(key k, bool delivered) {
  if (k == 0)
    return;
  open_.at(k).delivered += delivered ? 1 : 0;
  one_done(k);
}

std::vector<delivery_settled> delivery_tickets::take_settled() {
  return std::exchange(settled_, {});
}

void delivery_tickets::one_done(key k) {
  const auto found = open_.find(k);
  assert(found != open_.end());
  if (--found->second.missing != 0)
    return;
  settled_.push_back({found->second.id, found->second.delivered});
  open_.erase(found);
}

void delivery_tickets::stream_done(range& r) {
  if (--r.streams == 0)
    one_done(r.owner);
}

std::deque<delivery_tickets::range>::iterator delivery_tickets::first_behind(log_position at) {
  return std::upper_bound(
    ranges_.begin(), ranges_.end(), at, [](log_position p, const range& r) { return p < r.to; });
}

void delivery_tickets::drop_done_ranges() {
  while (!ranges_.empty() && ranges_.front().streams == 0)
    ranges_.pop_front();
}

} // namespace herald
