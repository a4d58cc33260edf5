#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "messages/connections.hpp"
#include "messages/errors.hpp"
#include "messages/history.hpp"
#include "messages/tasks.hpp"
#include "messages/typed_actor.hpp"
#include "messages/versions.hpp"

namespace herald {

// The entries of the journal.

/// Events that a stream may ask for again; their ids rise over all entries.
struct events_kept {
  std::vector<kept_event> events;
  wall_time at;
};

/// Events up to this one are not kept any more.
struct events_evicted {
  event_id upto;
};

/// Ids up to this one may be given out; the next life of herald begins behind them.
struct ids_reserved {
  event_id upto;
};

struct version_kept {
  request_id id;
  pending_version version;
};

struct version_dropped {
  request_id id;
};

/// A stream that an external gateway terminates: it outlives herald.
struct stream_kept {
  request_id id;
  token stream;
  std::string url;
  wall_time connected_at;
};

struct stream_dropped {
  token stream;
};

/// A task as it is now. Tasks are remembered in the order in which each was first kept.
struct task_kept {
  task_view task;
  /// Only while it waits for a worker.
  std::string params_json;
};

struct task_dropped {
  task_id id;
};

using journal_entry = std::variant<
  events_kept, events_evicted, ids_reserved, version_kept, version_dropped, stream_kept,
  stream_dropped, task_kept, task_dropped>;

/// Everything that a former life of herald has left.
struct journal_snapshot {
  struct dated_event {
    kept_event what;
    wall_time at;
  };

  /// In the order of their ids.
  std::vector<dated_event> events;
  /// Everything after it is in `events`.
  event_id history_floor;
  /// No id up to it may be given out again.
  event_id ids_upto;
  /// The one that was queued longest ago first.
  std::vector<version_kept> versions;
  /// In the order of connecting.
  std::vector<stream_kept> streams;
  std::vector<task_kept> tasks;
};

// Messages to the journal, and from it.

/// From the journal: what was recorded with the tickets from `first` to `last` is written
/// (`ec::none`), or could not be.
struct entries_recorded {
  ticket_id first = 0;
  ticket_id last = 0;
  failure why;
};

/// The JOURNAL LISTENER actor interface: who waits until something is written.
using journal_listener_actor = typed_actor<
  // Tickets of this listener have been written, or could not be.
  result<void>(entries_recorded)>;

/// To the journal: remembers the entries, all or none, after everything recorded before.
struct record_entries {
  std::vector<journal_entry> entries;
  /// Rises with each message of a listener; 0 if nobody waits.
  ticket_id ticket = 0;
  journal_listener_actor listener;
};

/// To the journal from itself: write what has gathered, or try again what could not be written.
struct commit_entries {
  /// One that is not expected any more is ignored.
  std::uint64_t number = 0;
};

} // namespace herald
