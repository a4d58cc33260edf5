#include "actors/journal/journal_tables.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <sqlite3.h>

#include "actors/journal/audience_bytes.hpp"
#include "actors/journal/event_rows.hpp"
#include "actors/sqlite/stored_time.hpp"

namespace herald {

namespace {

constexpr const char* history_floor = "history_floor";
constexpr const char* ids_upto = "ids_upto";
constexpr const char* webhooks_upto = "webhooks_upto";

/// Rows of events are not made larger than this, unless one event is.
constexpr std::size_t row_bytes = std::size_t{256} * 1024;

std::optional<std::int64_t> stored_time(const std::optional<wall_time>& at) {
  return at ? std::optional{herald::stored_time(*at)} : std::nullopt;
}

std::optional<task_status> status_of(std::string_view text) {
  for (const auto status :
       {task_status::pending, task_status::running, task_status::completed, task_status::failed,
        task_status::cancelled})
    if (to_string(status) == text)
      return status;
  return std::nullopt;
}

/// What is stored for a task that nobody is told of; no attribute begins so.
constexpr std::string_view nobody{"\0", 1};

std::string listeners_of(const task_view& task) {
  std::string bytes;
  if (task.told)
    append_audience(bytes, task.to);
  else
    bytes = nobody;
  return bytes;
}

event_id stored_id(std::int64_t number) {
  return event_id{static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0))};
}

} // namespace

int journal_tables::prepare() {
  const std::pair<sqlite::statement&, std::string_view> all[] = {
    {put_meta_, "INSERT INTO meta VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET "
                "value=max(value, excluded.value)"},
    {put_events_, "INSERT OR REPLACE INTO events VALUES(?1, ?2)"},
    {drop_events_, "DELETE FROM events WHERE last_id <= ?1"},
    // Anew, not in place: the order is that of queueing.
    {put_version_, "INSERT OR REPLACE INTO versions(request_id, version, changelog) "
                   "VALUES(?1, ?2, ?3)"},
    {drop_version_, "DELETE FROM versions WHERE request_id = ?1"},
    {put_stream_, "INSERT OR REPLACE INTO streams(token, request_id, url, connected_at) "
                  "VALUES(?1, ?2, ?3, ?4)"},
    {drop_stream_, "DELETE FROM streams WHERE token = ?1"},
    {put_task_,
     "INSERT INTO tasks(task_id, type, status, started_at, ended_at, progress, progress_text, "
     "result, error, params, seq_of_events, audience) "
     "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) "
     "ON CONFLICT(task_id) DO UPDATE SET status=excluded.status, "
     "started_at=excluded.started_at, ended_at=excluded.ended_at, progress=excluded.progress, "
     "progress_text=excluded.progress_text, result=excluded.result, error=excluded.error, "
     "params=excluded.params, seq_of_events=excluded.seq_of_events"},
    {drop_task_, "DELETE FROM tasks WHERE task_id = ?1"},
    {put_value_, "INSERT OR REPLACE INTO topic_values VALUES(?1, ?2)"},
    {drop_value_, "DELETE FROM topic_values WHERE topic = ?1"},
    {put_topics_, "INSERT OR REPLACE INTO page_topics VALUES(?1, ?2, ?3, ?4)"},
    {drop_topics_, "DELETE FROM page_topics WHERE request_id = ?1"},
    {put_page_, "INSERT OR REPLACE INTO page_subjects VALUES(?1, ?2)"},
    {drop_page_, "DELETE FROM page_subjects WHERE request_id = ?1"},
    {put_revocation_, "INSERT OR REPLACE INTO revocations VALUES(?1, ?2, ?3, ?4)"},
    {drop_revocation_, "DELETE FROM revocations WHERE kind = ?1 AND name = ?2"},
    {put_answer_, "INSERT OR REPLACE INTO answers(name, body_hash, seed, kept_at, status, "
                  "content_type, headers, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
    {drop_answer_, "DELETE FROM answers WHERE name = ?1"},
  };
  for (const auto& [into, text] : all)
    if (const auto code = db_.prepare(text, into); code != SQLITE_OK)
      return code;
  return webhooks_.prepare(db_);
}

void journal_tables::reset() {
  for (auto* one :
       {&put_meta_, &put_events_, &drop_events_, &put_version_, &drop_version_, &put_stream_,
        &drop_stream_, &put_task_, &drop_task_, &put_value_, &drop_value_, &put_topics_,
        &drop_topics_, &put_page_, &drop_page_, &put_revocation_, &drop_revocation_, &put_answer_,
        &drop_answer_})
    *one = {};
  webhooks_.reset();
}

int journal_tables::put_row() {
  if (row_.empty())
    return SQLITE_OK;
  const auto code =
    put_events_.bind(1, static_cast<std::int64_t>(row_last_.value)).bind_blob(2, row_).run();
  row_.clear();
  return code;
}

int journal_tables::put(const events_kept& entry) {
  for (const auto& event : entry.events) {
    if (row_.size() > row_bytes)
      if (const auto code = put_row(); code != SQLITE_OK)
        return code;
    append_event_row(row_, event, entry.at);
    row_last_ = event.what->id;
  }
  return SQLITE_OK;
}

int journal_tables::raise_meta(const char* name, event_id value) {
  return put_meta_.bind(1, std::string_view{name})
    .bind(2, static_cast<std::int64_t>(value.value))
    .run();
}

int journal_tables::put(const events_evicted& entry) {
  const auto code = drop_events_.bind(1, static_cast<std::int64_t>(entry.upto.value)).run();
  return code == SQLITE_OK ? raise_meta(history_floor, entry.upto) : code;
}

int journal_tables::put(const ids_reserved& entry) {
  return raise_meta(ids_upto, entry.upto);
}

int journal_tables::put(const version_kept& entry) {
  return put_version_.bind(1, std::string_view{entry.id.str()})
    .bind(2, std::string_view{entry.version.version})
    .bind(3, entry.version.changelog)
    .run();
}

int journal_tables::put(const version_dropped& entry) {
  return drop_version_.bind(1, std::string_view{entry.id.str()}).run();
}

int journal_tables::put(const stream_kept& entry) {
  const auto name = entry.stream.str();
  return put_stream_.bind(1, std::string_view{name})
    .bind(2, std::string_view{entry.id.str()})
    .bind(3, std::string_view{entry.url})
    .bind(4, stored_time(entry.connected_at))
    .run();
}

int journal_tables::put(const stream_dropped& entry) {
  const auto name = entry.stream.str();
  return drop_stream_.bind(1, std::string_view{name}).run();
}

int journal_tables::put(const task_kept& entry) {
  const auto& task = entry.task;
  const auto audience = listeners_of(task);
  return put_task_.bind(1, std::string_view{task.id.str()})
    .bind(2, std::string_view{task.type})
    .bind(3, to_string(task.status))
    .bind(4, stored_time(task.start_time))
    .bind(5, stored_time(task.end_time))
    .bind(6, task.progress)
    .bind(7, std::string_view{task.progress_text})
    .bind(8, std::string_view{task.result_json})
    .bind(9, std::string_view{task.error})
    .bind(10, std::string_view{entry.params_json})
    .bind(11, static_cast<std::int64_t>(task.seq))
    .bind_blob(12, audience)
    .run();
}

int journal_tables::put(const task_dropped& entry) {
  const auto code = drop_task_.bind(1, std::string_view{entry.id.str()}).run();
  return code == SQLITE_OK ? webhooks_.put(entry) : code;
}

/// In a row of its own: its id is above those that follow, and it may be written once more.
int journal_tables::put(const step_kept& entry) {
  auto code = put_row();
  if (code == SQLITE_OK)
    code = put(entry.task);
  if (code == SQLITE_OK)
    code = put(entry.told);
  return code == SQLITE_OK ? put_row() : code;
}

int journal_tables::put(const value_kept& entry) {
  std::string event;
  append_event_row(event, entry.event, entry.at);
  return put_value_.bind(1, std::string_view{entry.event.to->topics.front()})
    .bind_blob(2, event)
    .run();
}

int journal_tables::put(const value_dropped& entry) {
  return drop_value_.bind(1, std::string_view{entry.topic}).run();
}

int journal_tables::put(const topics_kept& entry) {
  const auto added = pattern_lines(entry.added);
  const auto removed = pattern_lines(entry.removed);
  return put_topics_.bind(1, std::string_view{entry.id.str()})
    .bind(2, std::string_view{added})
    .bind(3, std::string_view{removed})
    .bind(4, stored_time(entry.at))
    .run();
}

int journal_tables::put(const topics_dropped& entry) {
  return drop_topics_.bind(1, std::string_view{entry.id.str()}).run();
}

/// In rows of their own, as a step.
int journal_tables::put(const batch_kept& entry) {
  auto code = put_row();
  if (code == SQLITE_OK)
    code = put(entry.told);
  if (code == SQLITE_OK)
    code = put_row();
  for (const auto& value : entry.values)
    if (code == SQLITE_OK)
      code = std::visit([this](const auto& one) { return put(one); }, value);
  return code == SQLITE_OK ? put(entry.answer) : code;
}

int journal_tables::put(const webhooks_kept& entry) {
  const auto code = webhooks_.put(entry);
  if (code != SQLITE_OK || entry.events.empty())
    return code;
  return raise_meta(webhooks_upto, {entry.events.back().number});
}

int journal_tables::write(std::span<const journal_entry> entries) {
  row_.clear();
  perhaps_written_ = false;
  sqlite::transaction all{db_};
  if (all.begun() != SQLITE_OK)
    return all.begun();
  for (const auto& entry : entries)
    if (const auto code = std::visit([this](const auto& one) { return put(one); }, entry);
        code != SQLITE_OK)
      return code;
  if (const auto code = put_row(); code != SQLITE_OK)
    return code;
  const auto code = all.commit();
  // The mark that makes it whole is written last: where writing has failed, it is not there.
  perhaps_written_ =
    code != SQLITE_OK && (code & 0xff) != SQLITE_FULL && code != SQLITE_IOERR_WRITE;
  return code;
}

int journal_tables::load_meta(journal_snapshot& into) {
  return sqlite::for_each_row(
    db_, "SELECT name, value FROM meta", [&](const sqlite::statement& row) {
      if (row.text(0) == history_floor)
        into.history_floor = stored_id(row.integer(1));
      else if (row.text(0) == ids_upto)
        into.ids_upto = stored_id(row.integer(1));
      else if (row.text(0) == webhooks_upto)
        into.webhooks.last_number = stored_id(row.integer(1)).value;
    });
}

int journal_tables::load_events(journal_snapshot& into, std::size_t& damaged) {
  std::vector<journal_snapshot::dated_event> found;
  const auto code = sqlite::for_each_row(
    db_, "SELECT last_id, events FROM events ORDER BY last_id", [&](const sqlite::statement& row) {
      const auto named = stored_id(row.integer(0));
      found.clear();
      const bool good =
        read_event_row(row.text(1), found) && !found.empty() && found.back().what.what->id == named;
      if (!good) {
        // The events lost here had ids up to this one: whether the history before is whole is not
        // known.
        ++damaged;
        into.history_floor = std::max(into.history_floor, named);
        return;
      }
      std::move(found.begin(), found.end(), std::back_inserter(into.events));
    });
  const auto id = [](const journal_snapshot::dated_event& event) {
    return event.what.what->id;
  };
  auto& all = into.events;
  // Rows may overlap: that of a step is written before events with lower ids.
  std::ranges::sort(all, {}, id);
  all.erase(all.begin(), std::ranges::upper_bound(all, into.history_floor, {}, id));
  const auto same = [&id](const auto& a, const auto& b) {
    return id(a) == id(b);
  };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  into.ids_upto =
    std::max({into.ids_upto, into.history_floor, all.empty() ? event_id{} : id(all.back())});
  return code;
}

int journal_tables::load_versions(journal_snapshot& into) {
  return sqlite::for_each_row(
    db_, "SELECT request_id, version, changelog FROM versions ORDER BY seq",
    [&](const sqlite::statement& row) {
      version_kept one{request_id{std::string{row.text(0)}}, {std::string{row.text(1)}, {}}};
      if (!row.null(2))
        one.version.changelog = std::string{row.text(2)};
      into.versions.push_back(std::move(one));
    });
}

int journal_tables::load_streams(journal_snapshot& into) {
  return sqlite::for_each_row(
    db_, "SELECT token, request_id, url, connected_at FROM streams ORDER BY seq",
    [&](const sqlite::statement& row) {
      // No herald wrote it. The table of connections relies on the rule.
      if (request_id_violation(row.text(1)))
        return;
      into.streams.push_back(
        {request_id{std::string{row.text(1)}}, token::from_text(row.text(0)),
         std::string{row.text(2)}, from_stored_time(row.integer(3))});
    });
}

int journal_tables::load_tasks(journal_snapshot& into) {
  return sqlite::for_each_row(
    db_,
    "SELECT task_id, type, status, started_at, ended_at, progress, progress_text, result, error, "
    "params, seq_of_events, audience FROM tasks ORDER BY seq",
    [&](const sqlite::statement& row) {
      const auto status = status_of(row.text(2));
      if (!status)
        return;
      const auto time = [&row](int column) {
        return row.null(column) ? std::nullopt
                                : std::optional{from_stored_time(row.integer(column))};
      };
      task_kept one;
      one.task.id = task_id{std::string{row.text(0)}};
      one.task.type = row.text(1);
      one.task.status = *status;
      one.task.start_time = time(3);
      one.task.end_time = time(4);
      one.task.progress = std::clamp(row.real(5), 0.0, 1.0);
      one.task.progress_text = row.text(6);
      one.task.result_json = row.text(7);
      one.task.error = row.text(8);
      one.params_json = row.text(9);
      // Nor is everyone told where it cannot be read whom it is for.
      const auto to = read_audience(row.text(11));
      one.task.told = to.has_value();
      one.task.to = to.value_or(nullptr);
      if (one.task.told)
        one.task.seq = static_cast<std::uint64_t>(std::max<std::int64_t>(row.integer(10), 0));
      into.tasks.push_back(std::move(one));
    });
}

int journal_tables::load_values(journal_snapshot& into, std::size_t& damaged) {
  const auto code = sqlite::for_each_row(
    db_, "SELECT topic, event FROM topic_values", [&](const sqlite::statement& row) {
      std::vector<journal_snapshot::dated_event> found;
      const bool good = read_event_row(row.text(1), found) && found.size() == 1
                        && found.front().what.to && found.front().what.to->topics.size() == 1
                        && found.front().what.to->topics.front() == row.text(0);
      if (!good)
        ++damaged;
      else
        into.values.push_back(std::move(found.front()));
    });
  const auto id = [](const journal_snapshot::dated_event& event) {
    return event.what.what->id;
  };
  std::ranges::sort(into.values, {}, id);
  if (!into.values.empty())
    into.ids_upto = std::max(into.ids_upto, id(into.values.back()));
  return code;
}

int journal_tables::load_topics(journal_snapshot& into) {
  return sqlite::for_each_row(
    db_, "SELECT request_id, added, removed, changed_at FROM page_topics",
    [&](const sqlite::statement& row) {
      auto added = read_pattern_lines(row.text(1));
      auto removed = read_pattern_lines(row.text(2));
      // No herald wrote it.
      if (request_id_violation(row.text(0)) || !added || !removed)
        return;
      into.topics.push_back(
        {request_id{std::string{row.text(0)}}, std::move(*added), std::move(*removed),
         from_stored_time(row.integer(3))});
    });
}

int journal_tables::load(journal_snapshot& into, std::size_t& damaged_rows) {
  damaged_rows = 0;
  int code = SQLITE_DONE;
  const auto done = [&code](int answer) {
    code = answer;
    return code == SQLITE_DONE;
  };
  const bool all =
    done(load_meta(into)) && done(load_events(into, damaged_rows)) && done(load_versions(into))
    && done(load_streams(into)) && done(load_tasks(into)) && done(load_values(into, damaged_rows))
    && done(load_topics(into)) && done(load_pages(into)) && done(load_revocations(into))
    && done(load_answers(into)) && done(webhook_tables::load(db_, into.webhooks));
  return all ? SQLITE_OK : code;
}

} // namespace herald
