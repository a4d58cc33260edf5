#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct sqlite3;
struct sqlite3_backup;
struct sqlite3_stmt;

namespace herald::sqlite {

/// A prepared statement. An error while binding is kept, and comes out of `step`.
class statement {
public:
  statement() = default;

  /// Places count from 1. What is bound must stay until `step`.
  statement& bind(int place, std::int64_t value);
  statement& bind(int place, double value);
  statement& bind(int place, std::string_view text);
  statement& bind(int place, const std::optional<std::int64_t>& value);
  statement& bind(int place, const std::optional<std::string>& text);
  statement& bind_blob(int place, std::string_view bytes);

  /// SQLITE_ROW, SQLITE_DONE, or what has failed.
  [[nodiscard]] int step();
  /// Makes it ready to run again, with nothing bound.
  void reset();
  /// Runs a statement that gives no rows: SQLITE_OK, or what has failed. Resets it.
  [[nodiscard]] int run();

  /// Of the row that `step` has found; columns count from 0. Valid until the next step.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  /// The bytes of a text or a blob.
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] bool null(int column) const;

private:
  friend class database;
  struct finalizer {
    void operator()(sqlite3_stmt* s) const noexcept;
  };

  void note(int code);

  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
  int error_ = 0;
};

/// SQLITE_ROW.
inline constexpr int row_found = 100;

/// A connection to a database file, for one thread at a time. Codes are SQLite's extended ones.
class database {
public:
  enum class mode : std::uint8_t { existing, create };

  /// SQLITE_OK, or why the file could not be opened. SQLite touches the file only when it is used.
  [[nodiscard]] int open(const std::string& path, mode how);
  void close() noexcept { handle_.reset(); }
  [[nodiscard]] bool is_open() const noexcept { return handle_ != nullptr; }
  /// Closing leaves everything as it is: no last writes into a file that may be damaged.
  void leave_untouched();

  /// Runs statements that have no parameters; rows are passed over.
  [[nodiscard]] int run(const std::string& statements);
  [[nodiscard]] int prepare(std::string_view text, statement& into);
  /// The number that a query gives, e.g. "PRAGMA user_version".
  [[nodiscard]] int ask(std::string_view query, std::int64_t& answer);
  [[nodiscard]] int ask(std::string_view query, std::string& answer);

  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] bool read_only() const;
  /// Leaves it to `checkpoint` when the write-ahead log is copied into the file.
  void keep_log();
  /// Pages in the write-ahead log after the last commit.
  [[nodiscard]] int log_pages() const noexcept { return *log_pages_; }
  /// Copies into the file what can be copied; with `truncate` all of it, or fails.
  [[nodiscard]] int checkpoint(bool truncate);
  /// Why the last call failed, in words.
  [[nodiscard]] std::string what() const;
  /// The errno behind the last failure; 0 if there is none.
  [[nodiscard]] int system_error() const;

private:
  friend class backup;
  struct closer {
    void operator()(sqlite3* db) const noexcept;
  };

  /// Has an address that stays, and outlives the handle.
  std::unique_ptr<int> log_pages_ = std::make_unique<int>(0);
  std::unique_ptr<sqlite3, closer> handle_;
};

/// Hands each row of a query to `take`. SQLITE_DONE, or the error that ended it.
template <class Take>
int for_each_row(database& db, const char* query, Take take) {
  statement rows;
  auto code = db.prepare(query, rows);
  if (code != 0)
    return code;
  while ((code = rows.step()) == row_found)
    take(std::as_const(rows));
  return code;
}

/// A copy of one database that is made in another, while the first is used through the same
/// connection: what is written meanwhile is in the copy, too. Ends before either is closed.
class backup {
public:
  /// SQLITE_OK, or why `to` cannot take it; `to` says it in words.
  [[nodiscard]] int begin(database& from, database& to);
  /// Copies so many pages: SQLITE_OK, where there are more; SQLITE_DONE; or what has failed.
  [[nodiscard]] int step(int pages);
  /// SQLITE_OK, or what has failed.
  int finish();

private:
  struct finisher {
    void operator()(sqlite3_backup* b) const noexcept;
  };
  std::unique_ptr<sqlite3_backup, finisher> handle_;
};

/// Rolls back in the end what was not committed.
class transaction {
public:
  explicit transaction(database& db);
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction();

  /// Whether it has begun: SQLITE_OK, or why not.
  [[nodiscard]] int begun() const noexcept { return begun_; }
  [[nodiscard]] int commit();

private:
  database& db_;
  int begun_;
};

} // namespace herald::sqlite
