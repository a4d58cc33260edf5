#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include "actors/journal/journal_options.hpp"
#include "actors/journal/journal_store.hpp"
#include "messages/errors.hpp"
#include "messages/journal.hpp"

namespace herald {

/// The journal as a file: an SQLite database in WAL mode that one process holds at a time (with
/// `PATH-lock`). Blocks; for one thread at a time.
class journal_file final : public journal_store {
public:
  /// Opens or makes the file, checks it whole, and brings it to the current schema.
  ///
  /// A file that is damaged, or no journal at all, is renamed to `PATH.damaged-TIME`, and a new one
  /// is begun; `set_aside` tells. Fails, with words for the operator, and leaves the file as it is,
  /// if another process holds it, if it comes from a newer herald, or if it cannot be written.
  [[nodiscard]] static caf::expected<std::unique_ptr<journal_file>>
  open(std::string path, journal_sync sync);

  ~journal_file() override;

  struct set_aside_file {
    std::string to;
    std::string why;
  };
  /// Set if there was a file that could not be used.
  [[nodiscard]] const std::optional<set_aside_file>& set_aside() const noexcept;

  /// Everything in the file. Events that cannot be read any more take all that is older with them:
  /// `damaged_rows` counts them.
  [[nodiscard]] caf::expected<journal_snapshot> load(std::size_t& damaged_rows);

  /// Opens the file anew if it could not be used before.
  [[nodiscard]] failure write(std::span<const journal_entry> entries) override;
  [[nodiscard]] bool perhaps_written() const override;

  /// Moves what was written from the write-ahead log to its place, if there is enough of it to be
  /// worth it.
  void tidy() override;

  [[nodiscard]] failure begin_copy(const std::string& name) override;
  [[nodiscard]] copy_progress copy_piece() override;

  /// Bytes of the file and its write-ahead log.
  [[nodiscard]] std::size_t bytes() const override;

  /// For tests: the file cannot grow beyond so many pages.
  void limit_pages(std::size_t pages);

private:
  struct inside;
  explicit journal_file(std::unique_ptr<inside> made);

  std::unique_ptr<inside> inside_;
};

} // namespace herald
