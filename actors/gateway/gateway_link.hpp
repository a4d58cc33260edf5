#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace herald {

/// The outcome of one send to an external gateway.
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

/// One connection to an external gateway. For one thread.
class gateway_link {
public:
  /// How the send under way has ended.
  using handler = std::function<void(send_outcome)>;

  gateway_link() = default;
  gateway_link(const gateway_link&) = delete;
  gateway_link& operator=(const gateway_link&) = delete;
  /// The handler is not called any more.
  virtual ~gateway_link() = default;

  /// Begins to post one send, as JSON, of which a copy is made. Not while another one is under way.
  /// Its end is told once, perhaps before this returns. Connects, and connects again, by itself.
  virtual void post(std::string_view body) = 0;
};

/// Makes a link that tells `done` of the ends of its sends.
using gateway_link_factory =
  std::function<std::unique_ptr<gateway_link>(gateway_link::handler done)>;

} // namespace herald
