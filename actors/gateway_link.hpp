#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

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

/// One connection to an external gateway. Used by one thread at a time.
class gateway_link {
public:
  gateway_link() = default;
  gateway_link(const gateway_link&) = delete;
  gateway_link& operator=(const gateway_link&) = delete;
  virtual ~gateway_link() = default;

  /// Posts one send, as JSON, and blocks until it is answered or has failed. Reconnects by itself.
  virtual send_outcome post(std::string_view body) = 0;
};

using gateway_link_factory = std::function<std::unique_ptr<gateway_link>()>;

} // namespace herald
