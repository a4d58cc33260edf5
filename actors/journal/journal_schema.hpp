#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "actors/sqlite/sqlite.hpp"

namespace herald {

/// The journal on the disk, in files beside each other:
///
///   PATH               A database of SQLite 3. One that herald has made has pages of 16 KiB.
///   PATH-wal           Its write-ahead log: transactions that PATH does not have yet. Belongs to
///                      PATH, and is to be moved and copied with it; goes when herald ends in
///                      order.
///   PATH-lock          Empty. Whoever holds flock(2) on it has the journal. It stays behind, and
///                      means nothing then.
///   PATH.damaged-TIME  A PATH that could not be used, with its -wal. TIME is UTC, as
///                      20261129T004800Z; -2, -3 .. follow where the name is taken.
///   PATH-copy          A copy that is being made, or that a crash has left; removed by the next.
///   PATH.backup-TIME   A copy that is complete, unless whoever wanted it gave it another name. It
///                      is a PATH, without -wal.
///
/// There is no -shm, for one process has the database to itself (PRAGMA locking_mode=EXCLUSIVE).
///
/// PRAGMA application_id is 0x68726c64 ("hrld"). PRAGMA user_version counts the steps that the file
/// has taken: missing ones are taken at the start, a file with more is refused. A transaction is a
/// group of entries, in the file as a whole or not at all.
///
/// Tables of version 3. Texts are UTF-8, times are microseconds since 1970-01-01 UTC; `seq` rises
/// in the order in which a new life takes the rows.
///
///   meta      A number, by its name. It only rises.
///     name, value      history_floor: every event of the history with an id above it is in events.
///                      ids_upto: ids up to it may have been given out; the next life begins
///                      behind it.
///                      webhooks_upto: the last number of an event in webhook_events.
///   events    Events of one transaction, until they exceed 256 KiB. The event that tells of a step
///             of a task has a row of its own, and an id above those of events in later rows.
///     last_id          The id of the last of them. The row goes once that is evicted; until then
///                      events at or below history_floor in it do not count.
///     events           Their bytes, see event_rows.hpp.
///   versions  The pending version of a page.
///     seq              New with each version.
///     request_id, version
///     changelog        NULL if there is none.
///   streams   A stream of an external SSE Gateway, which outlives herald.
///     seq
///     token            As the gateway says it.
///     request_id, url  Of the page's request.
///     connected_at     A time.
///   tasks     A task that can be looked up.
///     seq              In the order of starting.
///     task_id, type
///     status           pending, running, completed, failed or cancelled.
///     started_at, ended_at   Times; NULL until then.
///     progress, progress_text   0 to 1; the last text reported.
///     result, error    JSON; a text. Empty if there is none.
///     params           JSON while the task is pending, then empty.
///     seq_of_events    Since version 2. `seq` of the last event that told of it; 0: none.
///     audience         Since version 2. Who is told of it: attributes as in event_rows.hpp,
///                      nothing for everyone, one byte 0 for nobody. What cannot be read is
///                      nobody.
///   topic_values   Since version 2. The last value of a topic.
///     topic
///     event            One event, as in the table events.
///   page_topics   Since version 2. What a page has changed in the topics of its URL.
///     request_id
///     added, removed   Patterns, each followed by a line feed, which no pattern has.
///     changed_at       A time.
///   page_subjects   Since version 3. Whose a page is.
///     request_id
///     subject          Empty: of nobody in particular.
///   revocations   Since version 3. What is not good any more.
///     kind, name       jti and that of a credential, or sub and a subject.
///     issued_before    Of a subject: a time. 0 for a credential.
///     good_until       A time: from then on it has no effect.
///   answers   Since version 2. What an Idempotency-Key was used for.
///     seq              New with each time that the key is kept.
///     name             The key in its scope: whose it is (empty), "METHOD TARGET" and the
///                      key, parted by line feeds.
///     body_hash        SHA-256 of the request's body.
///     seed             A UUID. What the request makes may be named by it.
///     kept_at          A time.
///     status           Of the answer; NULL while there is none.
///     content_type, headers, body   The answer; headers as "NAME: VALUE", each followed by a line
///                      feed. Empty while there is none.
///   webhook_events   Since version 3. What the webhook's receiver has not answered yet. The row
///                    goes once it has, or once the event is lost.
///     number           Rises from event to event, over all lives.
///     type             As the receiver is shown it: stream.opened.
///     happened_at      A time.
///     data             JSON.
///   told_streams   Since version 3. A stream of which the receiver is told that it is open.
///     seq              In the order of opening.
///     token, request_id, subject, address   Empty where there is none.
///     topics           As in page_topics.
///     opened_at        A time.
///   told_tasks   Since version 3. A task of whose end the receiver is told. The row goes with that
///                of the task.
///     task_id

/// The steps that lead from an empty file to the tables of this herald, in their order. A step that
/// was ever released is never changed: a change to the tables is a new step.
[[nodiscard]] std::span<const char* const> journal_migrations();

/// Marks a database file as a journal of herald (`PRAGMA application_id`: "hrld").
inline constexpr std::int64_t journal_application_id = 0x68726c64;

/// Takes the steps that the file (by its `PRAGMA user_version`) has not taken, each whole or not at
/// all. Gives SQLite's code.
[[nodiscard]] int migrate(sqlite::database& db, std::span<const char* const> steps);

} // namespace herald
