#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/errors.hpp"
#include "messages/events.hpp"
#include "messages/history.hpp"
#include "messages/ids.hpp"
#include "messages/typed_actor.hpp"

namespace herald {

/// To a transport: the stream is registered. It opens, gets what it has missed, and then whatever
/// is delivered from here on.
struct attach_stream {
  token stream;
  missed_events missed = {};
  /// Known from a former life of herald: it may be gone.
  bool doubtful = false;
  /// The place from which the stream is live: with `missed` it has had everything up to here, or
  /// was told of the loss. The stream may come back from here; 0 where nothing is replayed.
  event_id cursor = {};
  /// What the stream hears from here on; null: its page's events, and everyone's. The page in it
  /// does not count: deliveries to pages name streams.
  reach_ptr hears = nullptr;
};

/// To a transport: from here on the stream hears what this says. An unknown token is ignored.
struct change_reach {
  token stream;
  /// As in `attach_stream`.
  reach_ptr hears;
  /// What the stream gets first of what is new to it: older events, in their order, after which it
  /// is told `cursor` again, from where it may come back.
  std::vector<event_ptr> values = {};
  event_id cursor = {};
};

/// To a transport: the stream must not open.
struct refuse_stream {
  token stream;
  failure why;
  /// The HTTP status with which a backend refused it, to be passed on; 0 if herald itself refuses.
  std::uint16_t upstream_status = 0;
};

/// Why herald ends a stream.
enum class close_reason : std::uint8_t {
  replaced,  ///< the same request_id has opened a newer one
  requested, ///< somebody asked for it: API, /internal/send
};

[[nodiscard]] std::string_view to_string(close_reason reason);

/// To a transport: writes what is still due to the stream, then the farewell, then ends it. An
/// unknown token is ignored.
struct close_stream {
  token stream;
  close_reason reason = close_reason::requested;
  /// Sent last, without an id.
  event_ptr farewell;
};

/// The DELIVERY actor interface: whatever can reach a stream. Messages of one sender take effect in
/// the order in which they were sent.
using delivery_actor = typed_actor<
  // Opens a stream that waits for its registration.
  result<void>(attach_stream),
  // Ends a stream that waits for its registration.
  result<void>(refuse_stream),
  // Ends one stream.
  result<void>(close_stream),
  // Changes what a stream hears.
  result<void>(change_reach),
  // Sends events to all attached streams, or to one; failures come back to the streams' owner.
  result<void>(deliver)>;

} // namespace herald
