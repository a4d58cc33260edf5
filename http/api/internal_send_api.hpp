#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include <caf/fwd.hpp>

#include "http/server/router.hpp"
#include "messages/actors.hpp"

namespace herald {

struct internal_send_options {
  /// Longest `data` of an event, in bytes; more is answered with 413.
  std::size_t max_event_bytes = std::size_t{256} * 1024;
};

/// A refusal of `POST /internal/send`, in the words of the gateway's protocol.
struct send_refusal {
  int status = 400;
  /// e.g. "INVALID_TOKEN_MISSING".
  std::string_view code;
  std::string_view message;
};

/// Reads a body of `POST /internal/send`; unknown fields are ignored, as the protocol has it.
[[nodiscard]] std::variant<send_to_stream, send_refusal>
parse_internal_send(std::string_view body, const internal_send_options& options = {});

/// `POST /internal/send`: one event to one stream by its token, and/or the end of that stream, in
/// the gateway's own protocol with the gateway's own error documents. `owner` is the registry, or
/// the stand-in front where herald stands in for a gateway.
void add_internal_send_api(
  router& routes, caf::actor_system& system, stream_owner_actor owner,
  internal_send_options options = {});

} // namespace herald
