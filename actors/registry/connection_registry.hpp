#pragma once

#include <chrono>
#include <cstddef>
#include <limits>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/registry/event_history.hpp"
#include "actors/registry/id_source.hpp"
#include "actors/supervision/shell.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"

namespace herald {

/// The registry's memory of former lives of herald, and the journal that keeps what the next life
/// needs.
struct registry_memory {
  /// Null: nothing outlives the process.
  journal_actor journal;
  /// Events that wait to be written before publishers are refused (`journal.max_queue_*`).
  std::size_t max_queue_events = std::numeric_limits<std::size_t>::max();
  std::size_t max_queue_bytes = std::numeric_limits<std::size_t>::max();
  /// Events that are still known, in their order.
  std::vector<journal_snapshot::dated_event> events = {};
  /// Everything after it that was worth keeping is in `events`.
  event_id history_floor = {};
  /// No id up to `last_id` is given out again; those up to `ids_reserved` may be.
  event_id last_id = {};
  event_id ids_reserved = id_source::unbounded;
};

/// Longest wait of a connect behind an external gateway for the journal. A herald that ends before
/// its journal knows the stream would not know it in its next life.
inline constexpr std::chrono::milliseconds connect_wait{500};

/// Spawns the connection registry: the owner of the table of connections and of the one order of
/// everything published.
///
/// Ordering: what one sender publishes keeps its order; every stream sees all events in the order
/// of their ids. A stream gets what it has missed, if it says so by its cursor, and everything
/// published after its `open_connection` was handled.
///
/// With a journal `publish` is answered once the events are written; what the streams get does not
/// wait for that. The event of a `publish_step` does, and comes behind all that was published
/// meanwhile.
///
/// A page that is kept away (`close_connection`), at most `max_kept_away` of them, is refused until
/// its time is over.
///
/// The table, the transports, the observers, the history and those who wait for an answer outlive a
/// restart of the inside.
supervised<connection_registry_actor> spawn_connection_registry(
  caf::actor_system& system, shell_options options, const history_limits& limits, metrics& numbers,
  registry_memory memory = {}, std::size_t max_kept_away = 10'000);

} // namespace herald
