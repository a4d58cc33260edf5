#pragma once

#include <cstdint>
#include <string>

namespace herald {

/// What became of one send to an external gateway.
enum class send_result : std::uint8_t {
  delivered,   ///< the gateway has written or buffered it
  gone,        ///< the gateway has no such stream (any more)
  refused,     ///< the gateway will never take this event; others it may
  failing,     ///< the gateway answers, but cannot do it now
  timed_out,   ///< no answer in time; it may have been delivered
  unreachable, ///< there is no gateway to talk to, or it hung up
};

struct send_outcome {
  send_result result = send_result::delivered;
  /// Empty where delivered, else for the log: the status, or what went wrong.
  std::string why;
};

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
