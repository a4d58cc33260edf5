#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/sqlite/sqlite.hpp"
#include "messages/errors.hpp"

namespace herald {

/// A copy of the journal's file that is made while the journal is written, piece by piece: first in
/// `PATH-copy`, which gets its name when all of it is on the disk. Never over another file, and for
/// the journal's user only. For the thread of the journal; ends before its database is closed.
class journal_copy {
public:
  /// Of the journal at `path`; without a name one is made of the time, `JOURNAL.backup-TIME`.
  journal_copy(std::string path, std::string name);
  /// Leaves no draft behind.
  ~journal_copy();
  journal_copy(const journal_copy&) = delete;
  journal_copy& operator=(const journal_copy&) = delete;

  /// `ec::none`; `ec::invalid_field` for a name that cannot be had, `ec::name_taken` for one that
  /// is there already, which the last piece may find, too; or what could not be done.
  [[nodiscard]] failure begin(sqlite::database& from);
  /// Copies a piece. `done` is set with the last one, when the file has its name.
  [[nodiscard]] failure copy_piece(bool& done);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
  [[nodiscard]] failure make_draft();
  [[nodiscard]] failure keep();
  [[nodiscard]] failure cannot(std::string_view what, int system_error) const;
  [[nodiscard]] failure failed(int code) const;

  const std::string path_;
  const std::string folder_;
  const std::string draft_;
  std::string name_;
  bool has_draft_ = false;
  std::uint64_t bytes_ = 0;
  sqlite::database to_;
  sqlite::backup copying_;
};

/// What is wrong with the name of a copy of the journal at `path`; empty: nothing. Names have no
/// folder, and are none that the journal has for itself.
[[nodiscard]] std::string_view copy_name_violation(std::string_view name, std::string_view path);

} // namespace herald
