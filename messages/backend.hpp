#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "messages/connections.hpp"
#include "messages/errors.hpp"
#include "messages/ids.hpp"
#include "messages/text/time.hpp"
#include "messages/typed_actor.hpp"

namespace herald {

/// What a gateway tells its backend about a stream: a client wants it, or it is gone.
enum class callback_action : std::uint8_t { connect, disconnect };

[[nodiscard]] std::string_view to_string(callback_action action);

/// How a callback went.
struct backend_answered {
  callback_action action = callback_action::connect;
  token stream;
  /// `ec::none` for a 2xx, `ec::upstream_refused` for any other status; the rest if there was none:
  /// `upstream_unavailable`, `upstream_timed_out`, `overloaded`.
  failure why;
  /// The HTTP status; 0 if there was none.
  std::uint16_t status = 0;
};

/// The BACKEND LISTENER actor interface: who called back and waits for the answer.
using backend_listener_actor = typed_actor<
  // A callback was answered, or has failed.
  result<void>(backend_answered)>;

/// Tells the backend about one stream; `backend_answered` goes to the listener, once, within the
/// callback's time-out.
struct call_backend {
  callback_action action = callback_action::connect;
  token stream;
  /// Of a disconnect only.
  end_reason reason = end_reason::client_closed;
  /// The client's request as JSON text, see `render_callback_request` in messages/wire.
  std::shared_ptr<const std::string> request;
  backend_listener_actor listener;
};

/// The BACKEND CALLER actor interface: reaches the backend behind a gateway.
using backend_caller_actor = typed_actor<
  // Calls at once; calls do not wait for each other.
  result<void>(call_backend)>;

// Webhooks.

/// Something that a backend is told of by webhook.
struct webhook_event {
  /// Its place in the order of all, over all lives of herald. Receivers are shown it as an id.
  std::uint64_t number = 0;
  /// "stream.opened"
  std::string type;
  wall_time at;
  /// JSON text of an object.
  std::string data;
};

/// From the client: a batch was answered, or could not be sent.
struct webhook_answered {
  /// `ec::none` for a 2xx, `ec::upstream_refused` for any other status; `upstream_unavailable`,
  /// `upstream_timed_out`.
  failure why;
  /// The HTTP status; 0 if there was none.
  std::uint16_t status = 0;
};

/// From the webhooks to themselves: a moment that they wait for has come. Stale when `number` is
/// not that of the last one that they have set.
struct webhook_timer {
  std::uint64_t number = 0;
};

} // namespace herald
