#include "actors/journal/journal_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "actors/journal/journal_copy.hpp"
#include "actors/journal/journal_schema.hpp"
#include "actors/journal/journal_tables.hpp"
#include "actors/sqlite/sqlite.hpp"
#include "actors/sqlite/storage_errors.hpp"
#include "actors/sqlite/stored_time.hpp"
#include "actors/system/owned_fd.hpp"

namespace herald {

namespace {

/// Pages in the write-ahead log from which on it is tidied.
constexpr int tidy_pages = 500;

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

/// Device and inode, which tell files apart whatever their names; {0, 0} where there is none.
using file_identity = std::pair<dev_t, ino_t>;

file_identity identity_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0)
    return {};
  return {found.st_dev, found.st_ino};
}

bool exists(const std::string& path) {
  return identity_of(path) != file_identity{};
}

/// A name that no file has yet.
std::string aside_name(const std::string& path) {
  const auto name = path + ".damaged-" + file_timestamp();
  auto free = name;
  for (int n = 2; exists(free) || exists(free + "-wal"); ++n)
    free = name + "-" + std::to_string(n);
  return free;
}

} // namespace

struct journal_file::inside {
  inside(std::string file, journal_sync how) : path(std::move(file)), sync(how) {}

  /// The verdict on a file that was opened.
  enum class state : std::uint8_t { good, fresh, damaged, unusable };
  struct finding {
    state what = state::good;
    std::string why;
  };

  [[nodiscard]] std::optional<failure> own() const;
  [[nodiscard]] std::optional<failure> lock();
  [[nodiscard]] std::optional<failure> make() const;
  [[nodiscard]] finding look();
  [[nodiscard]] finding inspect();
  [[nodiscard]] finding judge(int code, std::string_view doing) const;
  [[nodiscard]] std::optional<failure> move_aside(std::string why);
  [[nodiscard]] std::optional<failure> prepare();
  [[nodiscard]] std::optional<failure> reopen();
  [[nodiscard]] std::optional<failure> lost() const;
  void close();

  const std::string path;
  const journal_sync sync;
  owned_fd held;
  std::optional<set_aside_file> aside;
  file_identity identity;
  bool perhaps_written = false;
  /// Of the write-ahead log, since the file was prepared.
  file_identity log_identity;
  sqlite::database db;
  journal_tables tables{db};
  /// Null: none is made.
  std::unique_ptr<journal_copy> copy;
};

/// Whoever else owns one of the files, or may write it, decides what herald believes to have said;
/// and files of root beside those of another user would lock that user out.
std::optional<failure> journal_file::inside::own() const {
  for (const auto* part : {"", "-wal", "-lock"}) {
    const auto name = path + part;
    struct stat found {};
    if (::stat(name.c_str(), &found) != 0)
      continue;
    if (found.st_uid != ::geteuid())
      return cannot(
        name, "belongs to another user",
        "user " + std::to_string(found.st_uid) + ", while herald runs as "
          + std::to_string(::geteuid()));
    if ((found.st_mode & 0077U) != 0 && ::chmod(name.c_str(), found.st_mode & 0700U) != 0)
      return cannot(name, "cannot be kept from other users", std::strerror(errno));
  }
  return std::nullopt;
}

/// Only one process at a time: also while a damaged file is being moved aside.
std::optional<failure> journal_file::inside::lock() {
  if (auto failed = own())
    return failed;
  const auto name = path + "-lock";
  held = owned_fd{::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (held.get() < 0)
    return cannot(path, "cannot be written", std::strerror(errno));
  if (::flock(held.get(), LOCK_EX | LOCK_NB) != 0)
    return errno == EWOULDBLOCK ? cannot(path, "is in use by another process", {})
                                : cannot(path, "cannot be locked", std::strerror(errno));
  return make();
}

/// Made here, so that nobody else can read it, nor the log, which gets the same mode. SQLite takes
/// an empty file for a new one.
std::optional<failure> journal_file::inside::make() const {
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
journal_file::inside::finding journal_file::inside::look() {
  auto found = judge(db.open(path, sqlite::database::mode::create), "cannot be opened");
  if (found.what == state::good)
    found = inspect();
  if (found.what == state::damaged)
    db.leave_untouched();
  return found;
}

journal_file::inside::finding journal_file::inside::inspect() {
  std::int64_t owner = 0;
  std::int64_t version = 0;
  std::int64_t entries = 0;
  int code = SQLITE_OK;
  const auto good = [&code](int answer) {
    code = answer;
    return code == SQLITE_OK;
  };
  if (
    !good(db.run("PRAGMA locking_mode=EXCLUSIVE")) || !good(db.ask("PRAGMA application_id", owner))
    || !good(db.ask("PRAGMA user_version", version))
    || !good(db.ask("SELECT count(*) FROM sqlite_schema", entries)))
    return judge(code, "cannot be read");
  if (db.read_only())
    return {state::unusable, "cannot be written: the file is read-only"};
  if (owner == 0 && version == 0 && entries == 0)
    return {state::fresh, {}};
  if (owner != journal_application_id)
    return {state::damaged, "it is a database of something else"};
  if (const auto known = journal_migrations().size(); version > static_cast<std::int64_t>(known))
    return {
      state::unusable, "was written by a newer herald (schema " + std::to_string(version)
                         + ", this one knows " + std::to_string(known) + ")"};
  std::string verdict;
  if (!good(db.ask("PRAGMA quick_check(1)", verdict)))
    return judge(code, "cannot be checked");
  if (verdict != "ok")
    return {state::damaged, verdict};
  return {};
}

/// Without it SQLite would go on writing into a file that nobody will find again.
std::optional<failure> journal_file::inside::lost() const {
  if (identity_of(path) != identity)
    return cannot(
      path, "cannot be written", "it was removed or replaced; herald must be restarted");
  if (db.is_open() && identity_of(path + "-wal") != log_identity)
    return cannot(
      path, "cannot be written", "its -wal was removed or replaced; herald must be restarted");
  return std::nullopt;
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
  return make();
}

/// Makes a file that was found good ready for use.
std::optional<failure> journal_file::inside::prepare() {
  constexpr std::array levels = {"FULL", "NORMAL", "OFF"};
  std::string mode;
  const auto set_up = [&] {
    if (const auto code = db.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=16384");
        code != SQLITE_OK)
      return code;
    if (const auto code = db.ask("PRAGMA journal_mode=WAL", mode); code != SQLITE_OK)
      return code;
    const std::string level = levels.at(static_cast<std::size_t>(sync));
    db.keep_log();
    if (const auto code = db.run("PRAGMA synchronous=" + level); code != SQLITE_OK)
      return code;
    if (const auto code = migrate(db, journal_migrations()); code != SQLITE_OK)
      return code;
    return tables.prepare();
  };
  if (const auto found = judge(set_up(), "cannot be written"); found.what != state::good)
    return cannot(path, found.why, {});
  if (mode != "wal")
    return cannot(path, "cannot be written", "its file system has no write-ahead log");
  log_identity = identity_of(path + "-wal");
  return std::nullopt;
}

/// After a failure: the file as it is, or nothing. What the kernel has kept of a write that failed
/// is not trusted; all of the write-ahead log is written once more.
std::optional<failure> journal_file::inside::reopen() {
  const auto opened = judge(db.open(path, sqlite::database::mode::existing), "cannot be opened");
  auto failed =
    opened.what == state::good ? prepare() : std::optional{cannot(path, opened.why, {})};
  if (!failed && db.checkpoint(true) != SQLITE_OK)
    failed = cannot(path, "cannot be written", db.what());
  if (failed)
    close();
  return failed;
}

/// A statement would keep its database, and the lock on it; so would a copy.
void journal_file::inside::close() {
  copy.reset();
  tables.reset();
  db.close();
}

caf::expected<std::unique_ptr<journal_file>>
journal_file::open(std::string path, journal_sync sync) {
  auto made = std::make_unique<inside>(std::move(path), sync);
  if (auto failed = made->lock())
    return as_error(std::move(*failed));
  auto found = made->look();
  if (found.what == inside::state::damaged) {
    if (auto failed = made->move_aside(std::move(found.why)))
      return as_error(std::move(*failed));
    found = made->look();
  }
  if (found.what == inside::state::damaged || found.what == inside::state::unusable)
    return as_error(cannot(made->path, found.why, {}));
  if (auto failed = made->prepare())
    return as_error(std::move(*failed));
  made->identity = identity_of(made->path);
  return std::unique_ptr<journal_file>{new journal_file{std::move(made)}};
}

journal_file::journal_file(std::unique_ptr<inside> made) : inside_(std::move(made)) {}

journal_file::~journal_file() = default;

const std::optional<journal_file::set_aside_file>& journal_file::set_aside() const noexcept {
  return inside_->aside;
}

failure journal_file::write(std::span<const journal_entry> entries) {
  auto& in = *inside_;
  in.perhaps_written = false;
  if (auto failed = in.lost())
    return *std::move(failed);
  if (!in.db.is_open())
    if (auto failed = in.reopen())
      return *std::move(failed);
  const auto code = in.tables.write(entries);
  if (code == SQLITE_OK)
    return {ec::none, {}, {}};
  in.perhaps_written = in.tables.perhaps_written();
  const auto number = in.db.system_error();
  const bool full = (code & 0xff) == SQLITE_FULL
                    || ((code & 0xff) == SQLITE_IOERR && sqlite::is_out_of_room(number));
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

bool journal_file::perhaps_written() const {
  return inside_->perhaps_written;
}

void journal_file::tidy() {
  auto& db = inside_->db;
  // Where there is no room for it, the log stays as it is, and is tried again with the next group.
  if (db.is_open() && db.log_pages() >= tidy_pages)
    (void)db.checkpoint(false);
}

failure journal_file::begin_copy(const std::string& name) {
  auto& in = *inside_;
  if (in.copy)
    return {ec::overloaded, "the journal is being copied already", {}};
  if (!in.db.is_open())
    return cannot(in.path, "cannot be copied", "it could not be written");
  auto made = std::make_unique<journal_copy>(in.path, name);
  auto failed = made->begin(in.db);
  if (failed.code == ec::none)
    in.copy = std::move(made);
  return failed;
}

journal_store::copy_progress journal_file::copy_piece() {
  auto& in = *inside_;
  copy_progress result;
  bool done = false;
  if (in.copy)
    result.why = in.copy->copy_piece(done);
  else
    result.why = cannot(in.path, "cannot be copied", "it could not be written meanwhile");
  if (done && result.why.code == ec::none)
    result.made = {in.copy->name(), in.copy->bytes()};
  if (done || result.why.code != ec::none)
    in.copy.reset();
  return result;
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

caf::expected<journal_snapshot> journal_file::load(std::size_t& damaged_rows) {
  auto& in = *inside_;
  journal_snapshot found;
  if (in.tables.load(found, damaged_rows) != SQLITE_OK)
    return as_error(cannot(in.path, "cannot be read", in.db.what()));
  return found;
}

} // namespace herald
