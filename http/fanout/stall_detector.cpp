#include "http/fanout/stall_detector.hpp"

namespace herald {

namespace {

std::uint32_t milliseconds(stall_detector::time_point now) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  return static_cast<std::uint32_t>(since.count());
}

} // namespace

bool stall_detector::look(std::size_t slot, const tcp_progress& how, time_point now) {
  if (slot >= seen_.size())
    seen_.resize(slot + 1);
  auto& last = seen_[slot];
  const auto acknowledged = static_cast<std::uint32_t>(how.acknowledged);
  const auto time = milliseconds(now);
  if (!how.outstanding) {
    last = {acknowledged, 0};
    return how.unheard >= give_up_after_ + answer_time;
  }
  if (last.still_since == 0 || last.acknowledged != acknowledged) {
    last = {acknowledged, time == 0 ? 1 : time};
    return false;
  }
  // Right when the milliseconds begin anew, after 49 days.
  return std::chrono::milliseconds{time - last.still_since} >= give_up_after_;
}

void stall_detector::reset(std::size_t slot) {
  if (slot < seen_.size())
    seen_[slot] = {};
}

} // namespace herald
