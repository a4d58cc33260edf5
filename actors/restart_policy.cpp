#include "actors/restart_policy.hpp"

#include <algorithm>
#include <cstdint>

namespace herald {

restart_policy::decision restart_policy::failed(time_point now) {
  while (!recent_.empty() && now - recent_.front() > options_.period)
    recent_.pop_front();
  if (recent_.size() >= options_.intensity)
    return {true, std::chrono::milliseconds{0}};
  // 2^20 times any backoff is past any sensible maximum: no overflow to think about.
  const auto doublings = std::min<std::size_t>(recent_.size(), 20);
  recent_.push_back(now);
  ++restarts_;
  return {
    false, std::min(options_.min_backoff * (std::int64_t{1} << doublings), options_.max_backoff)};
}

} // namespace herald
