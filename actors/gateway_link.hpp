#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "messages/gateway.hpp"

namespace herald {

/// One connection to an external gateway. For one thread.
class gateway_link {
public:
  /// How the send under way has ended.
  using handler = std::function<void(send_outcome)>;

  gateway_link() = default;
  gateway_link(const gateway_link&) = delete;
  gateway_link& operator=(const gateway_link&) = delete;
  /// Whoever waits for a send hears nothing any more.
  virtual ~gateway_link() = default;

  /// Begins to post one send, as JSON, of which a copy is made. Not while another one is under way.
  /// Its end is told once, perhaps before this returns. Connects, and connects again, by itself.
  virtual void post(std::string_view body) = 0;
};

/// Makes a link that tells `done` of the ends of its sends.
using gateway_link_factory =
  std::function<std::unique_ptr<gateway_link>(gateway_link::handler done)>;

} // namespace herald
