#include "http/auth/client_rates.hpp"

#include <algorithm>
#include <cmath>

namespace herald {

namespace {

double seconds_of(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

} // namespace

void client_rates::change(limits bounds) {
  const std::lock_guard lock{mutex_};
  limits_ = bounds;
}

std::chrono::milliseconds client_rates::wait(const client_address& client, time_point now) {
  const std::lock_guard lock{mutex_};
  return wait_of(client, now);
}

bool client_rates::note(const client_address& client, time_point now) {
  const std::lock_guard lock{mutex_};
  return put(client, now);
}

client_rates::outcome client_rates::take(const client_address& client, time_point now) {
  const std::lock_guard lock{mutex_};
  if (const auto wait = wait_of(client, now); wait.count() > 0)
    return {wait};
  return {{}, put(client, now)};
}

std::size_t client_rates::size() const {
  const std::lock_guard lock{mutex_};
  return records_.size();
}

std::chrono::milliseconds
client_rates::wait_of(const client_address& client, time_point now) const {
  const auto at = records_.find(client);
  if (limits_.count == 0 || at == records_.end())
    return {};
  const auto left = left_of(at->second, now);
  if (left >= 1)
    return {};
  const auto seconds = (1 - left) * seconds_of(limits_.period) / static_cast<double>(limits_.count);
  return std::chrono::milliseconds{static_cast<std::int64_t>(std::ceil(seconds * 1000))};
}

bool client_rates::put(const client_address& client, time_point now) {
  if (limits_.count == 0)
    return false;
  const auto known = records_.find(client);
  record next{static_cast<double>(limits_.count), now, last_order_ + 1};
  if (known != records_.end()) {
    next.left = left_of(known->second, now);
    by_order_.erase(known->second.order);
  }
  next.left = std::max(next.left - 1, 0.0);
  by_order_[next.order] = client;
  records_[client] = next;
  ++last_order_;
  return forget(now);
}

/// Clients that may do all of a period again, and the oldest where there are too many.
bool client_rates::forget(time_point now) {
  bool forgot = false;
  while (!by_order_.empty()) {
    const auto oldest = by_order_.begin();
    const auto at = records_.find(oldest->second);
    const bool over = now - at->second.last >= limits_.period;
    if (!over && records_.size() <= limits_.clients)
      break;
    forgot |= left_of(at->second, now) < static_cast<double>(limits_.count);
    records_.erase(at);
    by_order_.erase(oldest);
  }
  return forgot;
}

double client_rates::left_of(const record& known, time_point now) const {
  const auto whole = static_cast<double>(limits_.count);
  const auto seconds = std::max(seconds_of(now - known.last), 0.0);
  return std::min(whole, known.left + seconds * whole / seconds_of(limits_.period));
}

} // namespace herald
