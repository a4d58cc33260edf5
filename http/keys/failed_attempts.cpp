#include "http/keys/failed_attempts.hpp"

#include <algorithm>
#include <cmath>

namespace herald {

namespace {

constexpr double minute_s = 60;

} // namespace

void failed_attempts::change(limits bounds) {
  const std::lock_guard lock{mutex_};
  limits_ = bounds;
}

std::chrono::milliseconds failed_attempts::wait(const client_address& from, time_point now) {
  const std::lock_guard lock{mutex_};
  const auto at = records_.find(from);
  if (limits_.per_min == 0 || at == records_.end())
    return {};
  const auto left = left_of(at->second, now);
  if (left >= 1)
    return {};
  const auto seconds = (1 - left) * minute_s / static_cast<double>(limits_.per_min);
  return std::chrono::milliseconds{static_cast<std::int64_t>(std::ceil(seconds * 1000))};
}

bool failed_attempts::note(const client_address& from, time_point now) {
  const std::lock_guard lock{mutex_};
  if (limits_.per_min == 0)
    return false;
  const auto known = records_.find(from);
  record next{static_cast<double>(limits_.per_min), now, last_order_ + 1};
  if (known != records_.end()) {
    next.left = left_of(known->second, now);
    by_order_.erase(known->second.order);
  }
  next.left = std::max(next.left - 1, 0.0);
  by_order_[next.order] = from;
  records_[from] = next;
  ++last_order_;
  bool forgot = false;
  while (records_.size() > limits_.addresses) {
    const auto oldest = by_order_.begin();
    const auto at = records_.find(oldest->second);
    forgot |= left_of(at->second, now) < static_cast<double>(limits_.per_min);
    records_.erase(at);
    by_order_.erase(oldest);
  }
  return forgot;
}

double failed_attempts::left_of(const record& known, time_point now) const {
  const auto whole = static_cast<double>(limits_.per_min);
  const auto seconds = std::max(std::chrono::duration<double>(now - known.last).count(), 0.0);
  return std::min(whole, known.left + seconds * whole / minute_s);
}

} // namespace herald
