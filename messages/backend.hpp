#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// The body of a backend's 2xx to a connect is here. Comes before `backend_answered` or behind it:
/// a stream does not wait for it.
struct connect_answer_read {
  token stream;
  /// As it came; not empty.
  std::string body;
};

/// Who a stream is for, in the words of the backend that has let it in.
struct stream_identity {
  /// Empty: nobody in particular.
  std::string subject;
  /// Sorted, without repetition.
  std::vector<std::string> roles;
  /// Routing keys, as they came; nothing: the backend has named none.
  std::optional<std::vector<std::string>> bindings;

  /// Whether it hears what is for everyone: where keys are named, it is among them.
  [[nodiscard]] bool hears_broadcast() const;
  /// About the memory that it takes.
  [[nodiscard]] std::size_t bytes() const;

  friend bool operator==(const stream_identity&, const stream_identity&) = default;
};

/// Null where the backend says nothing of it.
using identity_ptr = std::shared_ptr<const stream_identity>;

/// The BACKEND LISTENER actor interface: who called back and waits for the answer.
using backend_listener_actor = typed_actor<
  // A callback was answered, or has failed.
  result<void>(backend_answered),
  // What the answer says of its stream.
  result<void>(connect_answer_read)>;

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
