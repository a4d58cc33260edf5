#pragma once

#include <cstdint>

#include "actors/sqlite/sqlite.hpp"
#include "messages/journal.hpp"

namespace herald {

/// The tables of what the webhook's receiver is told (see journal_schema.hpp): a part of
/// `journal_tables`, which says when what is called. Gives SQLite's codes.
class webhook_tables {
public:
  [[nodiscard]] int prepare(sqlite::database& db);
  void reset();

  [[nodiscard]] int put(const webhooks_kept& entry);
  [[nodiscard]] int put(const webhooks_dropped& entry);
  [[nodiscard]] int put(const told_stream_kept& entry);
  [[nodiscard]] int put(const told_stream_dropped& entry);
  /// The task cannot be looked up any more.
  [[nodiscard]] int put(const task_dropped& entry);

  /// SQLITE_DONE, or the error that ended it. Rows that no herald has written are left out.
  [[nodiscard]] static int load(sqlite::database& db, journal_snapshot::webhooks_left& into);

private:
  sqlite::statement put_event_;
  sqlite::statement drop_events_;
  sqlite::statement put_stream_;
  sqlite::statement drop_stream_;
  sqlite::statement put_task_;
  sqlite::statement drop_task_;
};

} // namespace herald
