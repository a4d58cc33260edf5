#include "http/admission/stream_limits.hpp"

namespace herald {

std::variant<stream_limits::lease, stream_limits::refusal>
stream_limits::admit(const std::optional<client_address>& address) {
  if (admitted_.fetch_add(1) >= total_) {
    admitted_.fetch_sub(1);
    return refusal::too_many;
  }
  const std::size_t per_address = per_address_;
  if (per_address == 0 || !address)
    return uncounted;
  const std::lock_guard lock{mutex_};
  const auto [found, fresh] = by_address_.try_emplace(*address, 0);
  if (fresh) {
    if (free_.empty()) {
      free_.push_back(static_cast<lease>(entries_.size()));
      entries_.emplace_back();
    }
    found->second = free_.back();
    free_.pop_back();
    entries_[found->second] = {*address, 0};
  }
  auto& streams = entries_[found->second].streams;
  if (streams >= per_address) {
    admitted_.fetch_sub(1);
    return refusal::too_many_per_address;
  }
  ++streams;
  return found->second;
}

void stream_limits::release(lease held) {
  admitted_.fetch_sub(1);
  if (held == uncounted)
    return;
  const std::lock_guard lock{mutex_};
  auto& entry = entries_[held];
  if (--entry.streams != 0)
    return;
  by_address_.erase(entry.address);
  free_.push_back(held);
}

} // namespace herald
