#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "messages/events.hpp"
#include "messages/ids.hpp"

namespace herald {

/// An event as `POST /internal/send` wants it, but for the token: escaped once for all streams.
struct prepared_event {
  /// `{"name":"..","data":".."}`
  std::string json;
  service_type service = service_type::event;
  /// What herald says of the stream itself was published by nobody: it counts nowhere.
  bool published = true;
  /// In how many queues of the shard it waits; kept by the queue.
  std::size_t waiting = 0;
};

using prepared_ptr = std::shared_ptr<prepared_event>;

[[nodiscard]] prepared_ptr prepare(const event& what);

/// Puts the body of one send into `out`, which keeps its memory. With neither event nor close it is
/// a probe.
void write_send_body(std::string& out, const token& to, const prepared_event* what, bool close);

} // namespace herald
