#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "actors/journal/webhook_tables.hpp"
#include "actors/sqlite/sqlite.hpp"
#include "messages/journal.hpp"

namespace herald {

/// The tables of the journal (see journal_schema.hpp): entries into rows, and rows into what a new
/// life starts from. Gives SQLite's codes.
class journal_tables {
public:
  /// Uses `db`, which must outlive it.
  explicit journal_tables(sqlite::database& db) : db_(db) {}

  /// The tables are there: gets ready to write. Ends with `reset`, before the database is closed: a
  /// statement would keep it, and the lock on its file.
  [[nodiscard]] int prepare();
  void reset();

  /// Writes the entries in one transaction, all or none.
  [[nodiscard]] int write(std::span<const journal_entry> entries);
  /// Whether the last `write`, which has failed, may have left all of its entries in the file: only
  /// the end of its commit was not heard of.
  [[nodiscard]] bool perhaps_written() const noexcept { return perhaps_written_; }

  /// Everything. Events that cannot be read any more take all that is older with them;
  /// `damaged_rows` counts them. Of a task whose audience cannot be read nobody is told.
  [[nodiscard]] int load(journal_snapshot& into, std::size_t& damaged_rows);

private:
  [[nodiscard]] int put(const events_kept& entry);
  [[nodiscard]] int put(const events_evicted& entry);
  [[nodiscard]] int put(const ids_reserved& entry);
  [[nodiscard]] int put(const version_kept& entry);
  [[nodiscard]] int put(const version_dropped& entry);
  [[nodiscard]] int put(const stream_kept& entry);
  [[nodiscard]] int put(const stream_dropped& entry);
  [[nodiscard]] int put(const task_kept& entry);
  [[nodiscard]] int put(const task_dropped& entry);
  [[nodiscard]] int put(const step_kept& entry);
  [[nodiscard]] int put(const value_kept& entry);
  [[nodiscard]] int put(const value_dropped& entry);
  [[nodiscard]] int put(const topics_kept& entry);
  [[nodiscard]] int put(const topics_dropped& entry);
  // In journal_access.cpp.
  [[nodiscard]] int put(const page_bound& entry);
  [[nodiscard]] int put(const page_unbound& entry);
  [[nodiscard]] int put(const revocation_kept& entry);
  [[nodiscard]] int put(const revocation_dropped& entry);
  [[nodiscard]] int put(const batch_kept& entry);
  [[nodiscard]] int put(const answer_kept& entry);
  [[nodiscard]] int put(const answer_dropped& entry);
  [[nodiscard]] int put(const webhooks_kept& entry);
  [[nodiscard]] int put(const webhooks_dropped& entry) { return webhooks_.put(entry); }
  [[nodiscard]] int put(const told_stream_kept& entry) { return webhooks_.put(entry); }
  [[nodiscard]] int put(const told_stream_dropped& entry) { return webhooks_.put(entry); }
  [[nodiscard]] int put_row();
  [[nodiscard]] int raise_meta(const char* name, event_id value);

  [[nodiscard]] int load_meta(journal_snapshot& into);
  [[nodiscard]] int load_events(journal_snapshot& into, std::size_t& damaged);
  [[nodiscard]] int load_versions(journal_snapshot& into);
  [[nodiscard]] int load_streams(journal_snapshot& into);
  [[nodiscard]] int load_tasks(journal_snapshot& into);
  [[nodiscard]] int load_values(journal_snapshot& into, std::size_t& damaged);
  [[nodiscard]] int load_topics(journal_snapshot& into);
  [[nodiscard]] int load_pages(journal_snapshot& into);
  [[nodiscard]] int load_revocations(journal_snapshot& into);
  [[nodiscard]] int load_answers(journal_snapshot& into);

  sqlite::database& db_;
  sqlite::statement put_meta_;
  sqlite::statement put_events_;
  sqlite::statement drop_events_;
  sqlite::statement put_version_;
  sqlite::statement drop_version_;
  sqlite::statement put_stream_;
  sqlite::statement drop_stream_;
  sqlite::statement put_task_;
  sqlite::statement drop_task_;
  sqlite::statement put_value_;
  sqlite::statement drop_value_;
  sqlite::statement put_topics_;
  sqlite::statement drop_topics_;
  sqlite::statement put_page_;
  sqlite::statement drop_page_;
  sqlite::statement put_revocation_;
  sqlite::statement drop_revocation_;
  sqlite::statement put_answer_;
  sqlite::statement drop_answer_;
  webhook_tables webhooks_;

  /// Events that make up the next row.
  std::string row_;
  event_id row_last_;
  bool perhaps_written_ = false;
};

} // namespace herald
