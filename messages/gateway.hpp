#pragma once

#include <cstdint>

namespace herald {

/// From a gateway shard to itself: make the next send. One send per message, so that what arrives
/// while a gateway is slow is taken in between.
struct send_next {
  /// Names the turn or the timer; one that is not expected any more is ignored.
  std::uint64_t number = 0;
};

} // namespace herald
