#pragma once

#include <atomic>
#include <cstdint>

#include "messages/ids.hpp"

namespace herald {

/// How far the order of events has come, for whoever needs no more than that and asks often. Told
/// by the registry, read by any thread. A place that was read before a state was asked for is at or
/// before that state: whoever gets all events behind it misses no change.
class event_place {
public:
  void set(event_id id) noexcept { id_.store(id.value, std::memory_order_release); }
  [[nodiscard]] event_id get() const noexcept { return {id_.load(std::memory_order_acquire)}; }

private:
  std::atomic<std::uint64_t> id_{0};
};

} // namespace herald
