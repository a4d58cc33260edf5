#pragma once

#include <cstdint>

namespace herald {

/// From a gateway shard to itself: make the next send.
struct send_next {
  /// Names the turn or the timer; one that is not expected any more is ignored.
  std::uint64_t number = 0;
};

/// From a gateway shard's connection to the shard: the send under way has ended.
struct send_ended {
  /// Names the send; one that is accounted for is ignored.
  std::uint64_t number = 0;
};

} // namespace herald
