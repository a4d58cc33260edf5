#include "actors/webhooks/webhook_queue.hpp"

#include <algorithm>

#include "actors/webhooks/webhook_json.hpp"

namespace herald {

const webhook_event&
webhook_queue::push(std::string type, wall_time at, std::string data, time_point now) {
  append({last_number_ + 1, std::move(type), at, std::move(data)}, now);
  ++last_number_;
  return waiting_.back().event;
}

void webhook_queue::restore(webhook_event event, time_point since) {
  const auto number = event.number;
  append(std::move(event), since);
  last_number_ = std::max(last_number_, number);
  release(last_number_);
}

void webhook_queue::append(webhook_event event, time_point since) {
  const auto bytes = bytes_of(event);
  waiting_.push_back({std::move(event), since});
  bytes_ += bytes;
  // The one that was added stays, whatever there is.
  const auto place = [this] {
    return under_way_ ? batch_ : 0;
  };
  while ((waiting_.size() > limits_.queue_events || bytes_ > limits_.queue_bytes)
         && place() + 1 < waiting_.size()) {
    drop(place());
    ++lost_.full;
  }
}

std::size_t webhook_queue::bytes_of(const webhook_event& event) noexcept {
  return sizeof(entry) + event.type.size() + event.data.size();
}

void webhook_queue::drop(std::size_t place) {
  const auto number = waiting_[place].event.number;
  if (!gone_.empty() && gone_.back().second + 1 == number)
    gone_.back().second = number;
  else
    gone_.emplace_back(number, number);
  bytes_ -= bytes_of(waiting_[place].event);
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(place));
  if (place < batch_)
    --batch_;
}

/// As many of the first as may be sent together.
void webhook_queue::compose() {
  std::size_t bytes = 0;
  while (batch_ < waiting_.size() && batch_ < limits_.batch_events) {
    const auto& event = waiting_[batch_].event;
    bytes += event.type.size() + event.data.size();
    if (event.number > released_ || (batch_ != 0 && bytes > limits_.batch_bytes))
      return;
    ++batch_;
  }
}

std::optional<webhook_batch> webhook_queue::take(time_point now) {
  expire(now);
  if (under_way_ || now < next_try_)
    return std::nullopt;
  if (batch_ == 0)
    compose();
  if (batch_ == 0)
    return std::nullopt;
  std::vector<const webhook_event*> events;
  events.reserve(batch_);
  for (std::size_t i = 0; i < batch_; ++i)
    events.push_back(&waiting_[i].event);
  webhook_batch batch;
  // Not a point: receivers know where in what is signed the id ends by it.
  batch.id = "msg_" + std::to_string(events.front()->number) + '_' + std::to_string(batch_);
  batch.body = std::make_shared<const std::string>(batch_json(events));
  batch.events = batch_;
  under_way_ = true;
  return batch;
}

void webhook_queue::answered() {
  if (!under_way_)
    return;
  under_way_ = false;
  failures_ = 0;
  next_try_ = {};
  while (batch_ != 0)
    drop(0);
}

void webhook_queue::failed(time_point now, double chance) {
  if (!under_way_)
    return;
  under_way_ = false;
  constexpr std::size_t most_doublings = 30;
  const auto doubled =
    limits_.min_backoff * (std::int64_t{1} << std::min(failures_, most_doublings));
  const auto pause = std::min(doubled, limits_.max_backoff);
  ++failures_;
  next_try_ =
    now + pause - std::chrono::duration_cast<std::chrono::milliseconds>(pause * (chance / 2));
  expire(now);
}

void webhook_queue::expire(time_point now) {
  const auto place = [this] {
    return under_way_ ? batch_ : 0;
  };
  while (place() < waiting_.size() && now - waiting_[place()].since > limits_.max_age) {
    drop(place());
    ++lost_.old;
  }
}

std::optional<webhook_queue::time_point> webhook_queue::due() const {
  if (under_way_ || waiting_.empty())
    return std::nullopt;
  const auto old = waiting_.front().since + limits_.max_age + std::chrono::milliseconds{1};
  if (waiting_.front().event.number > released_)
    return old;
  return std::min(old, next_try_);
}

std::optional<std::string> webhook_queue::check() const {
  std::size_t bytes = 0;
  std::uint64_t before = 0;
  for (const auto& one : waiting_) {
    bytes += bytes_of(one.event);
    if (one.event.number <= before || one.event.number > last_number_)
      return "webhook events are out of order";
    before = one.event.number;
  }
  if (bytes != bytes_)
    return "the bytes of webhook events are miscounted";
  if (batch_ > waiting_.size() || (under_way_ && batch_ == 0))
    return "a webhook batch has more events than there are";
  return std::nullopt;
}

} // namespace herald
