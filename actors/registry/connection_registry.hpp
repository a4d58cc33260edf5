#pragma once

#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/history/event_place.hpp"
#include "actors/history/id_source.hpp"
#include "actors/registry/registry_limits.hpp"
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
  /// Last values of topics, and what pages have changed in theirs.
  std::vector<journal_snapshot::dated_event> values = {};
  std::vector<topics_kept> topics = {};
  /// Whose pages were, and what is revoked.
  std::vector<page_bound> pages = {};
  std::vector<revocation_kept> revocations = {};
  /// Everything after it that was worth keeping is in `events`.
  event_id history_floor = {};
  /// No id up to `last_id` is given out again; those up to `ids_reserved` may be.
  event_id last_id = {};
  event_id ids_reserved = id_source::unbounded;
  /// Streams of an external gateway that are no page's any longer, and are being ended. The journal
  /// keeps them until they are.
  std::vector<token> ending = {};
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
/// meanwhile; likewise what is published with a key, which is in the file together with its answer,
/// or not at all.
///
/// A page that is kept away (`close_connection`) is refused until its time is over. Where streams
/// have credentials, a page belongs to the subject that opened it, until the history has forgotten
/// what it missed: others are refused (`ec::forbidden`), as are credentials that are revoked
/// (`ec::invalid_token`).
///
/// `place`, which may be null, is told the last id in the order of events, before whoever asked for
/// what is at that place is answered. `watcher`, which may be null, is told of every stream and
/// topic.
///
/// The table, the transports, the observers, the history and those who wait for an answer outlive a
/// restart of the inside.
supervised<connection_registry_actor> spawn_connection_registry(
  caf::actor_system& system, shell_options options, const registry_limits& limits, metrics& numbers,
  registry_memory memory = {}, std::shared_ptr<event_place> place = nullptr,
  watcher_actor watcher = {});

} // namespace herald
