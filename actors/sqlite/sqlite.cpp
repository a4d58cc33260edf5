#include "actors/sqlite/sqlite.hpp"

#include <sqlite3.h>

namespace herald::sqlite {

void statement::finalizer::operator()(sqlite3_stmt* s) const noexcept {
  sqlite3_finalize(s);
}

void statement::note(int code) {
  if (error_ == SQLITE_OK)
    error_ = code;
}

statement& statement::bind(int place, std::int64_t value) {
  note(sqlite3_bind_int64(handle_.get(), place, value));
  return *this;
}

statement& statement::bind(int place, double value) {
  note(sqlite3_bind_double(handle_.get(), place, value));
  return *this;
}

statement& statement::bind(int place, std::string_view text) {
  // A null pointer would bind NULL.
  const auto* bytes = text.data() == nullptr ? "" : text.data();
  note(sqlite3_bind_text64(
    handle_.get(), place, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8)); // NOLINT
  return *this;
}

statement& statement::bind(int place, const std::optional<std::int64_t>& value) {
  if (value)
    return bind(place, *value);
  note(sqlite3_bind_null(handle_.get(), place));
  return *this;
}

statement& statement::bind(int place, const std::optional<std::string>& text) {
  if (text)
    return bind(place, std::string_view{*text});
  note(sqlite3_bind_null(handle_.get(), place));
  return *this;
}

statement& statement::bind_blob(int place, std::string_view bytes) {
  note(sqlite3_bind_blob64(handle_.get(), place, bytes.data(), bytes.size(), SQLITE_STATIC));
  return *this;
}

int statement::step() {
  return error_ != SQLITE_OK ? error_ : sqlite3_step(handle_.get());
}

void statement::reset() {
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
  error_ = SQLITE_OK;
}

int statement::run() {
  const auto code = step();
  reset();
  return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

std::int64_t statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

double statement::real(int column) const {
  return sqlite3_column_double(handle_.get(), column);
}

std::string_view statement::text(int column) const {
  // The order matters: asking for the bytes settles the form that their number is of.
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return bytes == nullptr ? std::string_view{} : std::string_view{bytes, size};
}

bool statement::null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

void database::closer::operator()(sqlite3* db) const noexcept {
  sqlite3_close_v2(db);
}

int database::open(const std::string& path, mode how) {
  sqlite3* opened = nullptr;
  const auto flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
                     | (how == mode::create ? SQLITE_OPEN_CREATE : 0);
  const auto code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  handle_.reset(opened);
  if (code == SQLITE_OK)
    sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return code;
}

void database::leave_untouched() {
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

int database::run(const std::string& statements) {
  return sqlite3_exec(handle_.get(), statements.c_str(), nullptr, nullptr, nullptr);
}

int database::prepare(std::string_view text, statement& into) {
  sqlite3_stmt* made = nullptr;
  const auto code = sqlite3_prepare_v3(
    handle_.get(), text.data(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT, &made,
    nullptr);
  into.handle_.reset(made);
  into.error_ = SQLITE_OK;
  return code;
}

namespace {

/// Has `take` look at the first row that a query gives, if there is one.
template <class Take>
int ask_first(database& db, std::string_view query, Take take) {
  statement asked;
  auto code = db.prepare(query, asked);
  if (code != SQLITE_OK)
    return code;
  code = asked.step();
  if (code == SQLITE_ROW)
    take(asked);
  return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

} // namespace

int database::ask(std::string_view query, std::int64_t& answer) {
  return ask_first(*this, query, [&answer](const statement& row) { answer = row.integer(0); });
}

int database::ask(std::string_view query, std::string& answer) {
  return ask_first(*this, query, [&answer](const statement& row) { answer = row.text(0); });
}

bool database::in_transaction() const {
  return handle_ && sqlite3_get_autocommit(handle_.get()) == 0;
}

bool database::read_only() const {
  return sqlite3_db_readonly(handle_.get(), "main") == 1;
}

void database::keep_log() {
  const auto note = [](void* pages, sqlite3*, const char*, int count) {
    *static_cast<int*>(pages) = count;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle_.get(), note, log_pages_.get());
}

int database::checkpoint(bool truncate) {
  const auto mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  return sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, mode, nullptr, nullptr);
}

std::string database::what() const {
  return handle_ ? sqlite3_errmsg(handle_.get()) : "not open";
}

int database::system_error() const {
  return handle_ ? sqlite3_system_errno(handle_.get()) : 0;
}

void backup::finisher::operator()(sqlite3_backup* b) const noexcept {
  sqlite3_backup_finish(b);
}

int backup::begin(database& from, database& to) {
  handle_.reset(sqlite3_backup_init(to.handle_.get(), "main", from.handle_.get(), "main"));
  return handle_ ? SQLITE_OK : sqlite3_errcode(to.handle_.get());
}

int backup::step(int pages) {
  return sqlite3_backup_step(handle_.get(), pages);
}

int backup::finish() {
  return sqlite3_backup_finish(handle_.release());
}

transaction::transaction(database& db) : db_(db), begun_(db.run("BEGIN IMMEDIATE")) {}

transaction::~transaction() {
  if (db_.in_transaction())
    (void)db_.run("ROLLBACK");
}

int transaction::commit() {
  return db_.run("COMMIT");
}

} // namespace herald::sqlite
