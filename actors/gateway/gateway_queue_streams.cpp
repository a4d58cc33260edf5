// The streams of a gateway shard: what each of them hears, and which ones a delivery is for.

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "actors/gateway/gateway_queue.hpp"
#include "messages/wire/expiry_notice.hpp"

namespace herald {

namespace {

/// Rights that are looked at before others have their turn.
constexpr std::size_t rights_at_once = 64;

} // namespace

void gateway_queue::attach(const token& to, time_point now, bool doubtful, const reach_ptr& hears) {
  // A callback that came again, or for another request_id.
  if (const auto known = by_token_.find(to); known != by_token_.end()) {
    change(to, hears);
    // Its owner, who had ordered the end, has it again.
    known->second->tells_end = known->second->closing;
    return;
  }
  // All that can throw comes first, so that a failure leaves the queue as it was.
  std::list<stream> added(1);
  added.front().name = to;
  // Never tried is older than any sweep: it is the sweep's turn.
  added.front().tried = doubtful ? time_point::min() : now;
  if (free_numbers_.empty()) {
    // Room for all of them to be free: `drop` must not fail.
    if (free_numbers_.capacity() == by_number_.size())
      free_numbers_.reserve(2 * by_number_.size() + 1);
    by_number_.push_back(added.begin());
    free_numbers_.push_back(static_cast<audience_index::member>(by_number_.size() - 1));
  }
  const auto number = free_numbers_.back();
  added.front().number = number;
  by_number_[number] = added.begin();
  by_token_.emplace(to, added.begin());
  try {
    if (hears)
      hearers_.set(number, *hears);
  } catch (...) {
    by_token_.erase(to);
    throw;
  }
  free_numbers_.pop_back();
  streams_.splice(doubtful ? streams_.begin() : streams_.end(), added);
  // The gateway is there: the first event of the stream need not wait for a pause to end.
  if (!doubtful)
    health_.called(now);
}

void gateway_queue::change(const token& to, const reach_ptr& hears) {
  if (const auto found = by_token_.find(to); found != by_token_.end())
    hearers_.set(found->second->number, hears ? *hears : reach{});
}

void gateway_queue::turn_away(const token& to, time_point now) {
  if (!by_token_.contains(to)) {
    reach nothing;
    nothing.broadcast = false;
    attach(to, now, false, std::make_shared<const reach>(std::move(nothing)));
  }
  const auto s = by_token_.find(to)->second;
  order_close(s, nullptr, now);
  s->tells_end = true;
}

void gateway_queue::limit(const token& to, wall_time now, std::optional<wall_time> expires_at) {
  const auto found = by_token_.find(to);
  if (found == by_token_.end() || found->second->closing)
    return;
  if (!expires_at)
    return rights_.remove(found->second->number);
  using milliseconds = std::chrono::milliseconds;
  const auto most = static_cast<double>(options_.expiry_grace.count());
  const milliseconds grace{static_cast<milliseconds::rep>(random_() * most)};
  rights_.add(found->second->number, now, *expires_at, grace);
}

void gateway_queue::end_rights(wall_time now, time_point at) {
  const auto tell = [&](expirations::number stream, std::chrono::milliseconds left) {
    const auto s = by_number_[stream];
    // One with no room for an event has none for this.
    if (!limit_of_events(*s))
      enqueue(s, item{nullptr, 0, at, false, at + left});
  };
  const auto end = [&](expirations::number stream) {
    const auto s = by_number_[stream];
    order_close(s, nullptr, at);
    s->tells_end = true;
  };
  (void)rights_.run_slice(rights_at_once, now, tell, end);
}

prepared_ptr gateway_queue::notice_of_end(std::chrono::milliseconds left) {
  auto prepared = prepare(expiry_notice(left));
  prepared->published = false;
  return prepared;
}

std::optional<std::string> gateway_queue::check_rights() const {
  std::size_t found = 0;
  for (const auto& s : streams_) {
    const bool ends = rights_.contains(s.number);
    if (ends && s.closing)
      return "a stream is being closed, and its right is to end";
    found += ends ? 1 : 0;
  }
  if (found != rights_.size())
    return "a right is no stream's";
  return rights_.check();
}

std::optional<stream_backlog> gateway_queue::backlog_of(const token& stream) const {
  const auto found = by_token_.find(stream);
  if (found == by_token_.end())
    return std::nullopt;
  const auto& due = found->second->due;
  // Orders to close and notices are no events.
  const auto events =
    std::count_if(due.begin(), due.end(), [](const item& i) { return i.what != nullptr; });
  return stream_backlog{
    static_cast<std::size_t>(events), found->second->bytes, std::nullopt, false};
}

/// The open streams that a delivery to more than one is for, each once.
std::vector<gateway_queue::stream_ref> gateway_queue::streams_of(const delivery& one) {
  std::vector<stream_ref> result;
  const auto add = [&](stream_ref s) {
    const auto left_out = [&](const token& except) {
      return except == s->name;
    };
    if (
      !s->closing
      && (!one.some || std::none_of(one.some->except.begin(), one.some->except.end(), left_out)))
      result.push_back(s);
  };
  if (!one.some || one.some->to->everyone()) {
    for (auto s = streams_.begin(); s != streams_.end(); ++s)
      if (hearers_.hears_broadcast(s->number))
        add(s);
    return result;
  }
  std::vector<audience_index::member> found;
  hearers_.find(*one.some->to, found);
  const auto page = one.some->page ? by_token_.find(*one.some->page) : by_token_.end();
  if (
    page != by_token_.end()
    && !std::binary_search(found.begin(), found.end(), page->second->number))
    found.push_back(page->second->number);
  for (const auto number : found)
    add(by_number_[number]);
  return result;
}

} // namespace herald
