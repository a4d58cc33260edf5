#include "http/fanout/delivery_tickets.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

namespace herald {

delivery_tickets::key delivery_tickets::open(ticket_id id, time_point answer_by) {
  do
    ++last_key_;
  while (last_key_ == 0 || open_.contains(last_key_));
  auto& opened = open_[last_key_];
  opened.id = id;
  opened.answer_by = answer_by;
  return last_key_;
}

void delivery_tickets::wait_for_range(
  key k, framing how, log_position from, log_position to, std::size_t streams) {
  auto& all = ranges_of(how);
  assert(all.empty() || all.back().to <= from);
  if (streams == 0 || from == to)
    return;
  auto& owner = open_.at(k);
  ++owner.missing;
  owner.pending += streams;
  all.push_back({from, to, k, streams});
}

void delivery_tickets::wait_for_target(key k) {
  if (k == 0)
    return;
  auto& owner = open_.at(k);
  ++owner.missing;
  ++owner.pending;
}

void delivery_tickets::seal(key k) {
  if (const auto by = open_.at(k).answer_by; by != time_point::max())
    due_.emplace(by, k);
  one_done(k);
}

void delivery_tickets::written(
  framing how, log_position from, log_position to, const frame_log& log) {
  auto& all = ranges_of(how);
  for (auto r = first_behind(all, from); r != all.end() && r->from < to; ++r) {
    const auto& frames = log.count(std::max(from, r->from), std::min(to, r->to));
    open_.at(r->owner).delivered += std::accumulate(frames.begin(), frames.end(), std::size_t{0});
    if (r->to <= to)
      stream_done(*r);
  }
  drop_done(all);
}

void delivery_tickets::lost(framing how, log_position from, log_position limit) {
  auto& all = ranges_of(how);
  for (auto r = first_behind(all, from); r != all.end() && r->to <= limit; ++r)
    stream_done(*r);
  drop_done(all);
}

void delivery_tickets::target_done(key k, bool delivered) {
  if (k == 0)
    return;
  auto& owner = open_.at(k);
  owner.delivered += delivered ? 1 : 0;
  --owner.pending;
  one_done(k);
}

std::optional<delivery_tickets::time_point> delivery_tickets::next_deadline() const {
  return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
}

void delivery_tickets::expire(time_point now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    auto& late = open_.at(due_.begin()->second);
    settled_.push_back({late.id, late.delivered, late.pending});
    late.answered = true;
    due_.erase(due_.begin());
  }
}

std::vector<delivery_settled> delivery_tickets::take_settled() {
  return std::exchange(settled_, {});
}

void delivery_tickets::one_done(key k) {
  const auto found = open_.find(k);
  assert(found != open_.end());
  if (--found->second.missing != 0)
    return;
  const auto& done = found->second;
  if (!done.answered) {
    settled_.push_back({done.id, done.delivered, 0});
    due_.erase({done.answer_by, k});
  }
  open_.erase(found);
}

void delivery_tickets::stream_done(range& r) {
  --open_.at(r.owner).pending;
  if (--r.streams == 0)
    one_done(r.owner);
}

delivery_tickets::range_list::iterator
delivery_tickets::first_behind(range_list& all, log_position at) {
  return std::upper_bound(
    all.begin(), all.end(), at, [](log_position p, const range& r) { return p < r.to; });
}

void delivery_tickets::drop_done(range_list& all) {
  while (!all.empty() && all.front().streams == 0)
    all.pop_front();
}

} // namespace herald
