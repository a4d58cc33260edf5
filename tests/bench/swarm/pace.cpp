#include "tests/bench/swarm/pace.hpp"

#include <algorithm>

namespace herald::bench {

pace::pace(const publish_settings& settings, nanos begin)
  : mode_(settings.mode),
    batch_(settings.batch),
    window_(settings.mode == pacing::closed ? settings.batch : settings.window),
    begin_(begin),
    warm_(begin + from_seconds(settings.warmup_s)),
    end_(warm_ + from_seconds(settings.duration_s)),
    patience_(from_seconds(settings.patience_s)),
    wanted_events_(settings.events),
    last_(begin) {
  if (mode_ == pacing::rate)
    interval_ = from_seconds(static_cast<double>(batch_) / settings.rate);
}

bool pace::finished(nanos at) const {
  if (wanted_events_ > 0 && measured_events_ >= wanted_events_)
    return true;
  // An event that was due in time is published, however late.
  return (mode_ == pacing::rate ? due() : at) >= end_;
}

nanos pace::due() const {
  return begin_ + turns_ * interval_;
}

std::optional<std::uint64_t> pace::deliveries_wanted(std::uint64_t live) const {
  if (window_ == 0)
    return std::nullopt;
  // After this turn at most `window_` events are on their way to each stream.
  const auto after = expected_ + batch_ * live;
  const auto allowed = std::max(window_, batch_) * live;
  return after > allowed ? after - allowed : 0;
}

bool pace::publish(nanos at, std::uint64_t live) {
  ++turns_;
  expected_ += batch_ * live;
  last_ = at;
  const bool begins = !measuring_ && at >= warm_;
  measuring_ = measuring_ || begins;
  if (measuring_)
    measured_events_ += batch_;
  return begins;
}

} // namespace herald::bench
