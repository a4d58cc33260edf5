#include "http/keys/publish_rate.hpp"

#include <algorithm>
#include <cmath>

namespace herald {

namespace {

/// Of a bucket that holds a second's worth; a limit of 0 leaves it alone.
double filled(double held, std::size_t per_s, double seconds) {
  const auto whole = static_cast<double>(per_s);
  return std::min(whole, held + whole * seconds);
}

double seconds_to_one(double held, std::size_t per_s) {
  return per_s == 0 || held >= 1 ? 0 : (1 - held) / static_cast<double>(per_s);
}

} // namespace

std::chrono::milliseconds publish_rate::wait(time_point now) {
  const std::lock_guard lock{mutex_};
  refill(now);
  const auto seconds = std::max(
    seconds_to_one(events_, limits_.publishes_per_s),
    seconds_to_one(bytes_, limits_.publish_bytes_per_s));
  return std::chrono::milliseconds{static_cast<std::int64_t>(std::ceil(seconds * 1000))};
}

void publish_rate::take(time_point now, std::size_t events, std::size_t bytes) {
  const std::lock_guard lock{mutex_};
  refill(now);
  events_ -= static_cast<double>(events);
  bytes_ -= static_cast<double>(bytes);
}

void publish_rate::refill(time_point now) {
  if (last_ == time_point::min()) {
    events_ = static_cast<double>(limits_.publishes_per_s);
    bytes_ = static_cast<double>(limits_.publish_bytes_per_s);
    last_ = now;
  }
  // Threads that ask at once may come in another order than their clocks say.
  if (now <= last_)
    return;
  const auto seconds = std::chrono::duration<double>(now - last_).count();
  events_ = filled(events_, limits_.publishes_per_s, seconds);
  bytes_ = filled(bytes_, limits_.publish_bytes_per_s, seconds);
  last_ = now;
}

} // namespace herald
