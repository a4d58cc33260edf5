#include "actors/journal/journal_schema.hpp"

#include <array>

#include <sqlite3.h>

namespace herald {

namespace {

// What the tables and columns mean: see the header.
constexpr std::array steps = {
  R"(
    CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE events(last_id INTEGER PRIMARY KEY, events BLOB NOT NULL);
    CREATE TABLE versions(
      seq INTEGER PRIMARY KEY,
      request_id TEXT NOT NULL UNIQUE,
      version TEXT NOT NULL,
      changelog TEXT);
    CREATE TABLE streams(
      seq INTEGER PRIMARY KEY,
      token TEXT NOT NULL UNIQUE,
      request_id TEXT NOT NULL,
      url TEXT NOT NULL,
      connected_at INTEGER NOT NULL);
    CREATE TABLE tasks(
      seq INTEGER PRIMARY KEY,
      task_id TEXT NOT NULL UNIQUE,
      type TEXT NOT NULL,
      status TEXT NOT NULL,
      started_at INTEGER,
      ended_at INTEGER,
      progress REAL NOT NULL,
      progress_text TEXT NOT NULL,
      result TEXT NOT NULL,
      error TEXT NOT NULL,
      params TEXT NOT NULL);
  )",
  // Rows of events may have attributes from here on.
  R"(
    CREATE TABLE topic_values(topic TEXT PRIMARY KEY, event BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE page_topics(
      request_id TEXT PRIMARY KEY,
      added TEXT NOT NULL,
      removed TEXT NOT NULL,
      changed_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE answers(
      seq INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      body_hash BLOB NOT NULL,
      seed TEXT NOT NULL,
      kept_at INTEGER NOT NULL,
      status INTEGER,
      content_type TEXT NOT NULL,
      headers TEXT NOT NULL,
      body BLOB NOT NULL);
    ALTER TABLE tasks ADD COLUMN seq_of_events INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE tasks ADD COLUMN audience BLOB NOT NULL DEFAULT x'';
  )",
  R"(
    CREATE TABLE page_subjects(
      request_id TEXT PRIMARY KEY,
      subject TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE revocations(
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      issued_before INTEGER NOT NULL,
      good_until INTEGER NOT NULL,
      PRIMARY KEY(kind, name)) WITHOUT ROWID;
    CREATE TABLE webhook_events(
      number INTEGER PRIMARY KEY,
      type TEXT NOT NULL,
      happened_at INTEGER NOT NULL,
      data TEXT NOT NULL);
    CREATE TABLE told_streams(
      seq INTEGER PRIMARY KEY,
      token TEXT NOT NULL UNIQUE,
      request_id TEXT NOT NULL,
      subject TEXT NOT NULL,
      topics TEXT NOT NULL,
      address TEXT NOT NULL,
      opened_at INTEGER NOT NULL);
    CREATE TABLE told_tasks(task_id TEXT PRIMARY KEY) WITHOUT ROWID;
  )",
};

} // namespace

std::span<const char* const> journal_migrations() {
  return steps;
}

int migrate(sqlite::database& db, std::span<const char* const> steps) {
  std::int64_t taken = 0;
  if (const auto code = db.ask("PRAGMA user_version", taken); code != SQLITE_OK)
    return code;
  for (auto i = static_cast<std::size_t>(taken); i < steps.size(); ++i) {
    sqlite::transaction all{db};
    if (all.begun() != SQLITE_OK)
      return all.begun();
    const auto marks = "PRAGMA application_id=" + std::to_string(journal_application_id)
                       + "; PRAGMA user_version=" + std::to_string(i + 1);
    for (const auto& statements : {std::string{steps[i]}, marks})
      if (const auto code = db.run(statements); code != SQLITE_OK)
        return code;
    if (const auto code = all.commit(); code != SQLITE_OK)
      return code;
  }
  return SQLITE_OK;
}

} // namespace herald
