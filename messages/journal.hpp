#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "messages/backend.hpp"
#include "messages/connections.hpp"
#include "messages/errors.hpp"
#include "messages/history.hpp"
#include "messages/idempotency.hpp"
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

/// A step of a task: how the task is after it, and the event that tells of it. Its id may be above
/// those of entries that follow. Like events alone, it is not kept where it could not be written:
/// its author records it again.
struct step_kept {
  task_kept task;
  events_kept told;
};

/// The last value of the event's topic, which is its only one.
struct value_kept {
  kept_event event;
  wall_time at;
};

struct value_dropped {
  std::string topic;
};

/// What was added to the topics of a page's URL, and what was removed, last changed `at`.
struct topics_kept {
  request_id id;
  std::vector<std::string> added;
  std::vector<std::string> removed;
  wall_time at;
};

struct topics_dropped {
  request_id id;
};

/// The page belongs to the subject.
struct page_bound {
  request_id id;
  std::string subject;
};

struct page_unbound {
  request_id id;
};

/// It has an effect until then.
struct revocation_kept {
  revocation what;
  wall_time until;
};

/// Of a revocation its `credential_id` or its `subject`.
struct revocation_dropped {
  std::string credential_id;
  std::string subject;
};

/// What a publisher has said with a key, and its answer. As with steps, its ids may be above those
/// of entries that follow, and it is not kept where it could not be written.
struct batch_kept {
  events_kept told;
  std::vector<std::variant<value_kept, value_dropped>> values;
  answer_kept answer;
};

/// Events that the webhook's receiver has not answered yet, in the order of their numbers. Like
/// other events they are not kept where they could not be written: they are sent all the same.
struct webhooks_kept {
  std::vector<webhook_event> events;
  /// Tasks of whose end they tell: it is not told again.
  std::vector<task_id> ended;
};

/// These are answered, or lost: from the number `first` to `last`.
struct webhooks_dropped {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// A stream of which the webhook's receiver is told that it is open, as it is now.
struct told_stream_kept {
  stream_facts stream;
};

struct told_stream_dropped {
  token stream;
};

using journal_entry = std::variant<
  events_kept, events_evicted, ids_reserved, version_kept, version_dropped, stream_kept,
  stream_dropped, task_kept, task_dropped, step_kept, value_kept, value_dropped, topics_kept,
  topics_dropped, page_bound, page_unbound, revocation_kept, revocation_dropped, batch_kept,
  answer_kept, answer_dropped, webhooks_kept, webhooks_dropped, told_stream_kept,
  told_stream_dropped>;

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
  /// In the order of their ids.
  std::vector<dated_event> values;
  std::vector<topics_kept> topics;
  std::vector<page_bound> pages;
  std::vector<revocation_kept> revocations;
  /// The oldest first.
  std::vector<answer_kept> answers;

  struct webhooks_left {
    /// In the order of their numbers.
    std::vector<webhook_event> events;
    /// In the order of opening.
    std::vector<stream_facts> streams;
    /// Tasks that have ended, and of whose end the receiver is told.
    std::vector<task_id> ended;
    /// No number up to it may be given out again.
    std::uint64_t last_number = 0;
  };
  webhooks_left webhooks;
};

// Messages to the journal, and from it.

/// From the journal: what was recorded with the tickets from `first` to `last` is written
/// (`ec::none`), or could not be.
struct entries_recorded {
  ticket_id first = 0;
  ticket_id last = 0;
  failure why;
  /// It could not be written as far as is known, and may be in the file all the same.
  bool perhaps = false;
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

// Messages to the registry of whoever has a journal, and from it.

/// To the registry: publishes, and records the entries in the transaction of the events. Answered
/// as `publish` is. Where the publishing is refused the entries are recorded all the same.
struct publish_recorded {
  publish what;
  std::vector<journal_entry> entries;
};

/// From the registry: the step is in the file and is told from now on (`ec::none`), or it could not
/// be written yet and will be tried again.
struct step_published {
  std::uint64_t number = 0;
  failure why;
};

/// The STEP LISTENER actor interface: who waits until a step is told.
using step_listener_actor = typed_actor<
  // A step is in the file, or could not be written yet.
  result<void>(step_published)>;

/// To the registry: records the task and the event that tells of its step in one entry, and
/// publishes the event once that is in the file, and never before. Steps are told in their order.
struct publish_step {
  /// Rises from step to step of the one author that there is; one that was had already is ignored.
  std::uint64_t number = 0;
  task_kept task;
  draft what;
  step_listener_actor listener;
};

/// From the registry to itself: records steps again that could not be written.
struct record_steps_again {};

/// To the journal from itself: write what has gathered, or try again what could not be written.
struct commit_entries {
  /// One that is not expected any more is ignored.
  std::uint64_t number = 0;
};

/// To the journal: copies what is written by then, and while the copy is made, into a new file
/// beside its own.
struct back_up_journal {
  /// Of the new file, in the journal's folder; empty: one that says when it was made.
  std::string name;
};

/// The answer to `back_up_journal`, once the copy is on the disk.
struct journal_backup {
  std::string name;
  std::uint64_t bytes = 0;
};

/// To the journal from itself: copy another piece.
struct copy_more {
  /// One that is not expected any more is ignored.
  std::uint64_t number = 0;
};

} // namespace herald
