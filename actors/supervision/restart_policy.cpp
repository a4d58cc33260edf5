#include "actors/supervision/restart_policy.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace herald {

restart_policy::restart_policy(
  std::size_t intensity, std::chrono::milliseconds period, random_source random)
  : intensity_(intensity),
    period_(period),
    random_(std::move(random)) {}

restart_policy::decision restart_policy::failed(
  const std::string& child, const child_options& options, time_point now, bool damaged) {
  if (options.restart == restart_type::temporary)
    return {verdict::leave, {}};
  while (!restarts_.empty() && now - restarts_.front() > period_)
    restarts_.pop_front();
  if (damaged || restarts_.size() >= intensity_)
    return {verdict::escalate, {}};
  restarts_.push_back(now);
  return {verdict::restart, backoff(child, options, now)};
}

restart_policy::duration
restart_policy::backoff(const std::string& child, const child_options& options, time_point now) {
  auto& row = rows_[child];
  if (row.length > 0 && now - row.restarted >= options.max_backoff_ms)
    row.length = 0;
  // 2^20 times any backoff is past any sensible maximum: no overflow to think about.
  const auto doublings = std::min<std::size_t>(row.length, 20);
  ++row.length;
  const std::chrono::duration<double> plain =
    std::min(options.min_backoff_ms * (std::int64_t{1} << doublings), options.max_backoff_ms);
  const auto stretched =
    std::chrono::duration_cast<duration>(plain * (1 + random_() * options.random_factor));
  row.restarted = now + stretched;
  return stretched;
}

} // namespace herald
