#include "actors/journal/webhook_tables.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <sqlite3.h>

#include "actors/journal/audience_bytes.hpp"
#include "actors/sqlite/stored_time.hpp"

namespace herald {

namespace {

std::int64_t stored_number(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

int load_events(sqlite::database& db, journal_snapshot::webhooks_left& into) {
  return sqlite::for_each_row(
    db, "SELECT number, type, happened_at, data FROM webhook_events ORDER BY number",
    [&](const sqlite::statement& row) {
      if (row.integer(0) <= 0)
        return;
      into.events.push_back(
        {static_cast<std::uint64_t>(row.integer(0)), std::string{row.text(1)},
         from_stored_time(row.integer(2)), std::string{row.text(3)}});
      into.last_number = std::max(into.last_number, into.events.back().number);
    });
}

int load_streams(sqlite::database& db, journal_snapshot::webhooks_left& into) {
  return sqlite::for_each_row(
    db,
    "SELECT token, request_id, subject, topics, address, opened_at FROM told_streams ORDER BY seq",
    [&](const sqlite::statement& row) {
      auto topics = read_pattern_lines(row.text(3));
      if (!topics)
        return;
      into.streams.push_back(
        {token::from_text(row.text(0)), request_id{std::string{row.text(1)}},
         std::string{row.text(2)}, std::move(*topics), std::string{row.text(4)},
         from_stored_time(row.integer(5))});
    });
}

int load_tasks(sqlite::database& db, journal_snapshot::webhooks_left& into) {
  return sqlite::for_each_row(
    db, "SELECT task_id FROM told_tasks ORDER BY task_id",
    [&](const sqlite::statement& row) { into.ended.emplace_back(std::string{row.text(0)}); });
}

} // namespace

int webhook_tables::prepare(sqlite::database& db) {
  const std::pair<sqlite::statement&, std::string_view> all[] = {
    {put_event_, "INSERT OR REPLACE INTO webhook_events VALUES(?1, ?2, ?3, ?4)"},
    {drop_events_, "DELETE FROM webhook_events WHERE number BETWEEN ?1 AND ?2"},
    {put_stream_,
     "INSERT INTO told_streams(token, request_id, subject, topics, address, opened_at) "
     "VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(token) DO UPDATE SET "
     "request_id=excluded.request_id, subject=excluded.subject, topics=excluded.topics, "
     "address=excluded.address, opened_at=excluded.opened_at"},
    {drop_stream_, "DELETE FROM told_streams WHERE token = ?1"},
    {put_task_, "INSERT OR IGNORE INTO told_tasks VALUES(?1)"},
    {drop_task_, "DELETE FROM told_tasks WHERE task_id = ?1"},
  };
  for (const auto& [into, text] : all)
    if (const auto code = db.prepare(text, into); code != SQLITE_OK)
      return code;
  return SQLITE_OK;
}

void webhook_tables::reset() {
  for (auto* one :
       {&put_event_, &drop_events_, &put_stream_, &drop_stream_, &put_task_, &drop_task_})
    *one = {};
}

int webhook_tables::load(sqlite::database& db, journal_snapshot::webhooks_left& into) {
  auto code = load_events(db, into);
  if (code == SQLITE_DONE)
    code = load_streams(db, into);
  return code == SQLITE_DONE ? load_tasks(db, into) : code;
}

int webhook_tables::put(const webhooks_kept& entry) {
  for (const auto& event : entry.events)
    if (const auto code = put_event_.bind(1, stored_number(event.number))
                            .bind(2, std::string_view{event.type})
                            .bind(3, stored_time(event.at))
                            .bind(4, std::string_view{event.data})
                            .run();
        code != SQLITE_OK)
      return code;
  for (const auto& id : entry.ended)
    if (const auto code = put_task_.bind(1, std::string_view{id.str()}).run(); code != SQLITE_OK)
      return code;
  return SQLITE_OK;
}

int webhook_tables::put(const webhooks_dropped& entry) {
  return drop_events_.bind(1, stored_number(entry.first)).bind(2, stored_number(entry.last)).run();
}

int webhook_tables::put(const told_stream_kept& entry) {
  const auto& stream = entry.stream;
  const auto name = stream.stream.str();
  const auto topics = pattern_lines(stream.topics);
  return put_stream_.bind(1, std::string_view{name})
    .bind(2, std::string_view{stream.id.str()})
    .bind(3, std::string_view{stream.subject})
    .bind(4, std::string_view{topics})
    .bind(5, std::string_view{stream.address})
    .bind(6, stored_time(stream.opened_at))
    .run();
}

int webhook_tables::put(const told_stream_dropped& entry) {
  const auto name = entry.stream.str();
  return drop_stream_.bind(1, std::string_view{name}).run();
}

int webhook_tables::put(const task_dropped& entry) {
  return drop_task_.bind(1, std::string_view{entry.id.str()}).run();
}

} // namespace herald
