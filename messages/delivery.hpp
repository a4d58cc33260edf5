#pragma once

#include <cstddef>
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
  /// When its right ends, as `open_connection` has it.
  std::optional<wall_time> expires_at = std::nullopt;
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

/// To a transport: how far behind are these streams?
struct get_backlogs {
  std::vector<token> streams;
};

/// How far a stream is behind what was said to it.
struct stream_backlog {
  /// Events that wait for it, one that it has a part of included, and the bytes of all that waits.
  std::size_t events = 0;
  std::size_t bytes = 0;
  /// Bytes that are on their way, and not acknowledged by its client; nothing: not known.
  std::optional<std::size_t> unacknowledged;
  /// What it had missed is on its way, too, which is not counted.
  bool replaying = false;

  friend bool operator==(const stream_backlog&, const stream_backlog&) = default;
};

/// The answer to `get_backlogs`.
struct stream_backlogs {
  /// As they were asked for; nothing for one that is not open there.
  std::vector<std::optional<stream_backlog>> of;
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
  // Says how far behind streams are.
  result<stream_backlogs>(get_backlogs),
  // Sends events to all attached streams, or to one; failures come back to the streams' owner.
  result<void>(deliver)>;

} // namespace herald
