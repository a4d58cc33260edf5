#include "actors/journal_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "actors/child_process.hpp"
#include "actors/event_rows.hpp"
#include "actors/journal_schema.hpp"
#include "actors/sqlite.hpp"

namespace herald {

namespace {

constexpr const char* history_floor = "history_floor";
constexpr const char* ids_upto = "ids_upto";

/// Rows of events are not made larger than this, unless one event is.
constexpr std::size_t row_bytes = std::size_t{256} * 1024;
/// Pages in the write-ahead log from which on it is tidied.
constexpr int tidy_pages = 1000;

std::int64_t micros(wall_time at) {
  return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
}

wall_time from_micros(std::int64_t value) {
  return wall_time{std::chrono::microseconds{value}};
}

std::optional<std::int64_t> micros(const std::optional<wall_time>& at) {
  return at ? std::optional{micros(*at)} : std::nullopt;
}

std::optional<task_status> status_of(std::string_view text) {
  for (const auto status :
       {task_status::pending, task_status::running, task_status::completed, task_status::failed,
        task_status::cancelled})
    if (to_string(status) == text)
      return status;
  return std::nullopt;
}

bool is_damage(int code) {
  const auto primary = code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

/// The file has to be opened anew before it can be trusted again.
bool is_lasting(int code) {
  switch (code & 0xff) {
  case SQLITE_OK:
  case SQLITE_FULL:
  case SQLITE_NOMEM:
  case SQLITE_TOOBIG:
    return false;
  default:
    return true;
  }
}

failure cannot(const std::string& path, std::string_view what, std::string_view why) {
  std::string words = "journal ";
  words.append(path).append(" ").append(what);
  if (!why.empty())
    words.append(": ").append(why);
  return {ec::storage_failed, std::move(words), {}};
}

caf::error as_error(failure what) {
  return fail(what.code, std::move(what.detail), std::move(what.field));
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

std::string timestamp() {
  const auto now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return text.data();
}

/// A name that no file has yet.
std::string aside_name(const std::string& path) {
  const auto name = path + ".damaged-" + timestamp();
  auto free = name;
  for (int n = 2; exists(free) || exists(free + "-wal"); ++n)
    free = name + "-" + std::to_string(n);
  return free;
}

} // namespace

struct journal_file::inside {
  inside(std::string file, journal_sync how) : path(std::move(file)), sync(how) {}

  /// What opening has found.
  enum class state : std::uint8_t { good, fresh, damaged, unusable };
  struct finding {
    state what = state::good;
    std::string why;
  };

  [[nodiscard]] std::optional<failure> lock();
  [[nodiscard]] finding look(sqlite::database::mode how);
  [[nodiscard]] finding inspect();
  [[nodiscard]] finding judge(int code, std::string_view doing) const;
  [[nodiscard]] std::optional<failure> move_aside(std::string why);
  [[nodiscard]] std::optional<failure> prepare();
  [[nodiscard]] std::optional<failure> reopen();
  void close();

  [[nodiscard]] int put(const events_kept& entry);
  [[nodiscard]] int put(const events_evicted& entry);
  [[nodiscard]] int put(const ids_reserved& entry);
  [[nodiscard]] int put(const version_kept& entry);
  [[nodiscard]] int put(const version_dropped& entry);
  [[nodiscard]] int put(const stream_kept& entry);
  [[nodiscard]] int put(const stream_dropped& entry);
  [[nodiscard]] int put(const task_kept& entry);
  [[nodiscard]] int put(const task_dropped& entry);
  [[nodiscard]] int put_row();
  [[nodiscard]] int raise_meta(const char* name, event_id value);
  [[nodiscard]] int write_all(std::span<const journal_entry> entries);

  [[nodiscard]] int load_meta(journal_snapshot& into);
  [[nodiscard]] int load_events(journal_snapshot& into, std::size_t& damaged);
  [[nodiscard]] int load_versions(journal_snapshot& into);
  [[nodiscard]] int load_streams(journal_snapshot& into);
  [[nodiscard]] int load_tasks(journal_snapshot& into);

  const std::string path;
  const journal_sync sync;
  owned_fd held;
  std::optional<set_aside_file> aside;
  sqlite::database db;

  sqlite::statement put_meta;
  sqlite::statement put_events;
  sqlite::statement drop_events;
  sqlite::statement put_version;
  sqlite::statement drop_version;
  sqlite::statement put_stream;
  sqlite::statement drop_stream;
  sqlite::statement put_task;
  sqlite::statement drop_task;

  /// Events that make up the next row.
  std::string row;
  event_id row_last;
};

// -- opening

/// Only one process at a time: also while a damaged file is being moved aside.
std::optional<failure> journal_file::inside::lock() {
  const auto name = path + "-lock";
  held = owned_fd{::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (held.get() < 0)
    return cannot(path, "cannot be written", std::strerror(errno));
  if (::flock(held.get(), LOCK_EX | LOCK_NB) != 0)
    return errno == EWOULDBLOCK ? cannot(path, "is in use by another process", {})
                                : cannot(path, "cannot be locked", std::strerror(errno));
  // Made here, so that nobody else can read it; SQLite takes an empty file for a new one.
  if (const owned_fd made{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)}; made.get() < 0)
    return cannot(path, "cannot be written", std::strerror(errno));
  return std::nullopt;
}

journal_file::inside::finding journal_file::inside::judge(int code, std::string_view doing) const {
  if (code == SQLITE_OK)
    return {};
  if (is_damage(code))
    return {state::damaged, db.what()};
  if ((code & 0xff) == SQLITE_BUSY)
    return {state::unusable, "is in use by another process"};
  auto why = std::string{doing} + ": " + db.what();
  if (const auto number = db.system_error(); number != 0)
    why.append(", ").append(std::strerror(number));
  return {state::unusable, std::move(why)};
}

/// Opens the file and finds out what it is.
journal_file::inside::finding journal_file::inside::look(sqlite::database::mode how) {
  auto found = judge(db.open(path, how), "cannot be opened");
  if (found.what == state::good)
    found = inspect();
  if (found.what == state::damaged)
    db.leave_untouched();
  return found;
}

journal_file::inside::finding journal_file::inside::inspect() {
  std::int64_t owner = 0;
  std::int64_t version = 0;
  std::int64_t tables = 0;
  for (const auto code :
       {db.run("PRAGMA locking_mode=EXCLUSIVE"), db.ask("PRAGMA application_id", owner),
        db.ask("PRAGMA user_version", version),
        db.ask("SELECT count(*) FROM sqlite_schema", tables)})
    if (code != SQLITE_OK)
      return judge(code, "cannot be read");
  if (db.read_only())
    return {state::unusable, "cannot be written: the file is read-only"};
  if (owner == 0 && version == 0 && tables == 0)
    return {state::fresh, {}};
  if (owner != journal_application_id)
    return {state::damaged, "it is a database of something else"};
  if (const auto known = journal_migrations().size(); version > static_cast<std::int64_t>(known))
    return {
      state::unusable, "was written by a newer herald (schema " + std::to_string(version)
                         + ", this one knows " + std::to_string(known) + ")"};
  std::string verdict;
  if (const auto code = db.ask("PRAGMA quick_check(1)", verdict); code != SQLITE_OK)
    return judge(code, "cannot be checked");
  if (verdict != "ok")
    return {state::damaged, verdict};
  return {};
}

/// Renames the file and its write-ahead log, never over another file.
std::optional<failure> journal_file::inside::move_aside(std::string why) {
  close();
  const auto to = aside_name(path);
  for (const auto* part : {"-wal", "-shm", "-journal", ""}) {
    const auto from = path + part;
    if (exists(from) && std::rename(from.c_str(), (to + part).c_str()) != 0)
      return cannot(path, "is damaged (" + why + ") and cannot be renamed", std::strerror(errno));
  }
  aside = {to, std::move(why)};
  return std::nullopt;
}

/// Makes a file that was found good ready for use.
std::optional<failure> journal_file::inside::prepare() {
  constexpr std::array levels = {"FULL", "NORMAL", "OFF"};
  std::string mode;
  const auto set_up = [&] {
    if (const auto code = db.run("PRAGMA page_size=8192"); code != SQLITE_OK)
      return code;
    if (const auto code = db.ask("PRAGMA journal_mode=WAL", mode); code != SQLITE_OK)
      return code;
    const std::string level = levels.at(static_cast<std::size_t>(sync));
    db.keep_log();
    if (const auto code = db.run("PRAGMA synchronous=" + level); code != SQLITE_OK)
      return code;
    if (const auto code = migrate(db, journal_migrations()); code != SQLITE_OK)
      return code;
    const std::pair<sqlite::statement&, std::string_view> all[] = {
      {put_meta, "INSERT INTO meta VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET "
                 "value=max(value, excluded.value)"},
      {put_events, "INSERT OR REPLACE INTO events VALUES(?1, ?2)"},
      {drop_events, "DELETE FROM events WHERE last_id <= ?1"},
      // Anew, not in place: the order is that of queueing.
      {put_version, "INSERT OR REPLACE INTO versions(request_id, version, changelog) "
                    "VALUES(?1, ?2, ?3)"},
      {drop_version, "DELETE FROM versions WHERE request_id = ?1"},
      {put_stream, "INSERT OR REPLACE INTO streams(token, request_id, url, connected_at) "
                   "VALUES(?1, ?2, ?3, ?4)"},
      {drop_stream, "DELETE FROM streams WHERE token = ?1"},
      {put_task,
       "INSERT INTO tasks(task_id, type, status, started_at, ended_at, progress, progress_text, "
       "result, error, params) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
       "ON CONFLICT(task_id) DO UPDATE SET status=excluded.status, "
       "started_at=excluded.started_at, ended_at=excluded.ended_at, progress=excluded.progress, "
       "progress_text=excluded.progress_text, result=excluded.result, error=excluded.error, "
       "params=excluded.params"},
      {drop_task, "DELETE FROM tasks WHERE task_id = ?1"},
    };
    for (const auto& [into, text] : all)
      if (const auto code = db.prepare(text, into); code != SQLITE_OK)
        return code;
    return SQLITE_OK;
  };
  if (const auto found = judge(set_up(), "cannot be written"); found.what != state::good)
    return cannot(path, found.why, {});
  if (mode != "wal")
    return cannot(path, "cannot be written", "its file system has no write-ahead log");
  return std::nullopt;
}

/// After a failure: the file as it is, or nothing. What the kernel has kept of a write that failed
/// is not trusted; all of the write-ahead log is written once more.
std::optional<failure> journal_file::inside::reopen() {
  const auto found = look(sqlite::database::mode::existing);
  auto failed = found.what == state::good ? prepare() : std::optional{cannot(path, found.why, {})};
  if (!failed && db.checkpoint(true) != SQLITE_OK)
    failed = cannot(path, "cannot be written", db.what());
  if (failed)
    close();
  return failed;
}

/// A statement would keep its database, and the lock on it.
void journal_file::inside::close() {
  for (auto* one :
       {&put_meta, &put_events, &drop_events, &put_version, &drop_version, &put_stream,
        &drop_stream, &put_task, &drop_task})
    *one = {};
  db.close();
}

caf::expected<std::unique_ptr<journal_file>>
journal_file::open(std::string path, journal_sync sync) {
  auto made = std::make_unique<inside>(std::move(path), sync);
  if (auto failed = made->lock())
    return as_error(std::move(*failed));
  auto found = made->look(sqlite::database::mode::create);
  if (found.what == inside::state::damaged) {
    if (auto failed = made->move_aside(std::move(found.why)))
      return as_error(std::move(*failed));
    found = made->look(sqlite::database::mode::create);
  }
  if (found.what == inside::state::damaged || found.what == inside::state::unusable)
    return as_error(cannot(made->path, found.why, {}));
  if (auto failed = made->prepare())
    return as_error(std::move(*failed));
  return std::unique_ptr<journal_file>{new journal_file{std::move(made)}};
}

journal_file::journal_file(std::unique_ptr<inside> made) : inside_(std::move(made)) {}

journal_file::~journal_file() = default;

const std::optional<journal_file::set_aside_file>& journal_file::set_aside() const noexcept {
  return inside_->aside;
}

// -- writing

int journal_file::inside::put_row() {
  if (row.empty())
    return SQLITE_OK;
  const auto code =
    put_events.bind(1, static_cast<std::int64_t>(row_last.value)).bind_blob(2, row).run();
  row.clear();
  return code;
}

int journal_file::inside::put(const events_kept& entry) {
  for (const auto& event : entry.events) {
    if (row.size() > row_bytes)
      if (const auto code = put_row(); code != SQLITE_OK)
        return code;
    append_event_row(row, event, entry.at);
    row_last = event.what->id;
  }
  return SQLITE_OK;
}

int journal_file::inside::raise_meta(const char* name, event_id value) {
  return put_meta.bind(1, std::string_view{name})
    .bind(2, static_cast<std::int64_t>(value.value))
    .run();
}

int journal_file::inside::put(const events_evicted& entry) {
  const auto code = drop_events.bind(1, static_cast<std::int64_t>(entry.upto.value)).run();
  return code == SQLITE_OK ? raise_meta(history_floor, entry.upto) : code;
}

int journal_file::inside::put(const ids_reserved& entry) {
  return raise_meta(ids_upto, entry.upto);
}

int journal_file::inside::put(const version_kept& entry) {
  return put_version.bind(1, std::string_view{entry.id.str()})
    .bind(2, std::string_view{entry.version.version})
    .bind(3, entry.version.changelog)
    .run();
}

int journal_file::inside::put(const version_dropped& entry) {
  return drop_version.bind(1, std::string_view{entry.id.str()}).run();
}

int journal_file::inside::put(const stream_kept& entry) {
  const auto name = entry.stream.str();
  return put_stream.bind(1, std::string_view{name})
    .bind(2, std::string_view{entry.id.str()})
    .bind(3, std::string_view{entry.url})
    .bind(4, micros(entry.connected_at))
    .run();
}

int journal_file::inside::put(const stream_dropped& entry) {
  const auto name = entry.stream.str();
  return drop_stream.bind(1, std::string_view{name}).run();
}

int journal_file::inside::put(const task_kept& entry) {
  const auto& task = entry.task;
  return put_task.bind(1, std::string_view{task.id.str()})
    .bind(2, std::string_view{task.type})
    .bind(3, to_string(task.status))
    .bind(4, micros(task.start_time))
    .bind(5, micros(task.end_time))
    .bind(6, task.progress)
    .bind(7, std::string_view{task.progress_text})
    .bind(8, std::string_view{task.result_json})
    .bind(9, std::string_view{task.error})
    .bind(10, std::string_view{entry.params_json})
    .run();
}

int journal_file::inside::put(const task_dropped& entry) {
  return drop_task.bind(1, std::string_view{entry.id.str()}).run();
}

int journal_file::inside::write_all(std::span<const journal_entry> entries) {
  row.clear();
  sqlite::transaction all{db};
  if (all.begun() != SQLITE_OK)
    return all.begun();
  for (const auto& entry : entries)
    if (const auto code = std::visit([this](const auto& one) { return put(one); }, entry);
        code != SQLITE_OK)
      return code;
  if (const auto code = put_row(); code != SQLITE_OK)
    return code;
  return all.commit();
}

failure journal_file::write(std::span<const journal_entry> entries) {
  auto& in = *inside_;
  if (!in.db.is_open())
    if (auto failed = in.reopen())
      return *std::move(failed);
  const auto code = in.write_all(entries);
  if (code == SQLITE_OK)
    return {ec::none, {}, {}};
  const auto number = in.db.system_error();
  const bool full = (code & 0xff) == SQLITE_FULL
                    || ((code & 0xff) == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT));
  auto failed = cannot(in.path, "cannot be written", in.db.what());
  if (number != 0)
    failed.detail.append(", ").append(std::strerror(number));
  if (full)
    failed.code = ec::storage_full;
  if (is_lasting(code)) {
    if (is_damage(code))
      in.db.leave_untouched();
    in.close();
  }
  return failed;
}

void journal_file::tidy() {
  auto& db = inside_->db;
  // Where there is no room for it, the log stays as it is, and is tried again with the next group.
  if (db.is_open() && db.log_pages() >= tidy_pages)
    (void)db.checkpoint(false);
}

std::size_t journal_file::bytes() const {
  std::size_t total = 0;
  for (const auto* part : {"", "-wal"}) {
    struct stat found {};
    if (::stat((inside_->path + part).c_str(), &found) == 0)
      total += static_cast<std::size_t>(found.st_size);
  }
  return total;
}

void journal_file::limit_pages(std::size_t pages) {
  std::int64_t reached = 0;
  (void)inside_->db.ask("PRAGMA max_page_count=" + std::to_string(pages), reached);
}

// -- loading

int journal_file::inside::load_meta(journal_snapshot& into) {
  sqlite::statement rows;
  if (const auto code = db.prepare("SELECT name, value FROM meta", rows); code != SQLITE_OK)
    return code;
  int code = SQLITE_OK;
  while ((code = rows.step()) == SQLITE_ROW) {
    const event_id value{static_cast<std::uint64_t>(std::max<std::int64_t>(rows.integer(1), 0))};
    if (rows.text(0) == history_floor)
      into.history_floor = value;
    else if (rows.text(0) == ids_upto)
      into.ids_upto = value;
  }
  return code;
}

int journal_file::inside::load_events(journal_snapshot& into, std::size_t& damaged) {
  sqlite::statement rows;
  if (const auto code = db.prepare("SELECT last_id, events FROM events ORDER BY last_id", rows);
      code != SQLITE_OK)
    return code;
  int code = SQLITE_OK;
  event_id last = into.history_floor;
  std::vector<journal_snapshot::dated_event> found;
  while ((code = rows.step()) == SQLITE_ROW) {
    const event_id named{static_cast<std::uint64_t>(std::max<std::int64_t>(rows.integer(0), 0))};
    found.clear();
    const bool good =
      read_event_row(rows.text(1), found) && !found.empty() && found.back().what.what->id == named;
    if (!good) {
      // What is lost here was somewhere up to this id: nothing before is known to be all.
      ++damaged;
      into.events.clear();
      into.history_floor = last = std::max(last, named);
      continue;
    }
    for (auto& event : found) {
      if (event.what.what->id <= last)
        continue;
      last = event.what.what->id;
      into.events.push_back(std::move(event));
    }
  }
  into.ids_upto = std::max(into.ids_upto, last);
  return code;
}

int journal_file::inside::load_versions(journal_snapshot& into) {
  sqlite::statement rows;
  if (const auto code =
        db.prepare("SELECT request_id, version, changelog FROM versions ORDER BY seq", rows);
      code != SQLITE_OK)
    return code;
  int code = SQLITE_OK;
  while ((code = rows.step()) == SQLITE_ROW) {
    version_kept one{request_id{std::string{rows.text(0)}}, {std::string{rows.text(1)}, {}}};
    if (!rows.null(2))
      one.version.changelog = std::string{rows.text(2)};
    into.versions.push_back(std::move(one));
  }
  return code;
}

int journal_file::inside::load_streams(journal_snapshot& into) {
  sqlite::statement rows;
  if (const auto code =
        db.prepare("SELECT token, request_id, url, connected_at FROM streams ORDER BY seq", rows);
      code != SQLITE_OK)
    return code;
  int code = SQLITE_OK;
  while ((code = rows.step()) == SQLITE_ROW)
    into.streams.push_back(
      {request_id{std::string{rows.text(1)}}, token::from_text(rows.text(0)),
       std::string{rows.text(2)}, from_micros(rows.integer(3))});
  return code;
}

int journal_file::inside::load_tasks(journal_snapshot& into) {
  sqlite::statement rows;
  if (const auto code = db.prepare(
        "SELECT task_id, type, status, started_at, ended_at, progress, progress_text, result, "
        "error, params FROM tasks ORDER BY seq",
        rows);
      code != SQLITE_OK)
    return code;
  const auto time = [&rows](int column) {
    return rows.null(column) ? std::nullopt : std::optional{from_micros(rows.integer(column))};
  };
  int code = SQLITE_OK;
  while ((code = rows.step()) == SQLITE_ROW) {
    const auto status = status_of(rows.text(2));
    if (!status)
      continue;
    task_kept one;
    one.task.id = task_id{std::string{rows.text(0)}};
    one.task.type = rows.text(1);
    one.task.status = *status;
    one.task.start_time = time(3);
    one.task.end_time = time(4);
    one.task.progress = std::clamp(rows.real(5), 0.0, 1.0);
    one.task.progress_text = rows.text(6);
    one.task.result_json = rows.text(7);
    one.task.error = rows.text(8);
    one.params_json = rows.text(9);
    into.tasks.push_back(std::move(one));
  }
  return code;
}

caf::expected<journal_snapshot> journal_file::load(std::size_t& damaged_rows) {
  auto& in = *inside_;
  journal_snapshot found;
  damaged_rows = 0;
  for (const auto code :
       {in.load_meta(found), in.load_events(found, damaged_rows), in.load_versions(found),
        in.load_streams(found), in.load_tasks(found)})
    if (code != SQLITE_DONE)
      return as_error(cannot(in.path, "cannot be read", in.db.what()));
  return found;
}

} // namespace herald
