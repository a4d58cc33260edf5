#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/audience.hpp"
#include "messages/ids.hpp"

namespace herald {

/// Which service an event comes from; the only source of the `service` label of metrics.
enum class service_type : std::uint8_t { version, task, event };

inline constexpr std::size_t service_type_count = 3;

[[nodiscard]] std::string_view to_string(service_type service);

/// What becomes of the last value of an event's topic.
enum class retention : std::uint8_t {
  none,   ///< it stays as it is
  keep,   ///< the event is it, and comes first to whoever subscribes
  forget, ///< there is none any more
};

/// An event as its author gives it: not in the order yet, so without an id.
struct draft {
  std::string name;
  /// What goes onto the wire, serialised once by whoever made the draft. May hold line breaks.
  std::string data;
  /// Null: everyone.
  audience_ptr to;
  service_type service = service_type::event;
  /// It is not replayed when it is older than this; 0: as long as it is kept.
  std::chrono::milliseconds ttl{0};
  /// Whether it is kept for streams that come back.
  bool history = true;
  /// For an event with one topic, and nobody else to hear it.
  retention value = retention::none;
  /// Of an event for everyone: a page whose open stream gets it although it wants none of those.
  /// Empty: none.
  request_id also = {};
};

/// An event in its place in the order. Immutable, shared by all that deliver it.
struct event {
  event_id id;
  std::string name;
  std::string data;
  service_type service = service_type::event;
  /// When the registry took it, for latency metrics.
  std::chrono::steady_clock::time_point accepted;
};

using event_ptr = std::shared_ptr<const event>;

/// Names a publisher that waits for delivery; 0 where nobody does.
using ticket_id = std::uint64_t;

// Commands to the registry.

/// How long `publish` with `wait` waits for delivery, unless it says otherwise, and at most.
inline constexpr std::chrono::milliseconds publish_wait{10'000};
inline constexpr std::chrono::milliseconds max_publish_wait{60'000};

/// How long after the wait is over the registry goes on without a transport that has not said how
/// far it has come.
inline constexpr std::chrono::milliseconds settle_grace{500};

/// What goes with events that must not be published twice; see messages/idempotency.hpp.
struct keyed_publish;
using keyed_publish_ptr = std::shared_ptr<const keyed_publish>;

/// To the registry: puts the drafts, all or none, in their order behind everything published
/// before.
struct publish {
  std::vector<draft> drafts;
  /// Answer only when every stream was written or has failed, or `longest_wait` has passed.
  bool wait = false;
  std::chrono::milliseconds longest_wait = publish_wait;
  /// Null for a request without a key. With one, and a journal, streams get the events once they
  /// are in the file, together with the answer.
  keyed_publish_ptr once = nullptr;
};

/// The answer to `publish`.
struct publish_receipt {
  /// One for each draft, in its order.
  std::vector<event_id> ids;
  /// Streams that the drafts were sent to, summed over the drafts.
  std::size_t recipients = 0;
  /// Of these, only with `wait`: written, failed; what is missing was still under way.
  std::size_t delivered = 0;
  std::size_t failed = 0;
};

/// The streams of a transport that an event is for, where it is neither all nor one. Pages are
/// named by their streams, which the transport knows, and of those only its own.
struct delivery_audience {
  /// Subject, role and topics are looked up by the transport. Pages do not count.
  audience_ptr to;
  /// Beside those.
  std::optional<token> page;
  std::vector<token> except;
};

using delivery_audience_ptr = std::shared_ptr<const delivery_audience>;

/// One event on its way: to every stream of the transport that hears broadcasts, to one, or to
/// those of an audience. Each gets it once.
struct delivery {
  event_ptr what;
  std::optional<token> only;
  /// Null where it is for all, or for `only`.
  delivery_audience_ptr some = nullptr;
};

using delivery_batch = std::shared_ptr<const std::vector<delivery>>;

/// To a transport: sends the batch in its order, after everything delivered before.
struct deliver {
  delivery_batch batch;
  ticket_id ticket = 0;
  /// When whoever waits for the ticket is to know how far it has come.
  std::chrono::steady_clock::time_point answer_by = std::chrono::steady_clock::time_point::max();
  /// How far the order of events has come: with this batch the transport has all up to here that
  /// its streams hear, so that they may be told it as their place. 0: not said.
  event_id place = {};
};

/// To the owner of the streams: all of a ticket's batch is written or has failed on this transport,
/// or its `answer_by` has passed. Told once per `deliver` with a ticket.
struct delivery_settled {
  ticket_id ticket = 0;
  /// Stream writes that succeeded, summed over the batch.
  std::size_t delivered = 0;
  /// Those that are still under way. The rest has failed.
  std::size_t pending = 0;
};

/// From the registry to itself: whoever waits for this ticket has waited long enough.
struct delivery_wait_over {
  ticket_id ticket = 0;
};

} // namespace herald
