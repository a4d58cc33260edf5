#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "messages/errors.hpp"
#include "messages/journal.hpp"

namespace herald {

/// Where the journal writes to.
class journal_store {
public:
  journal_store() = default;
  journal_store(const journal_store&) = delete;
  journal_store& operator=(const journal_store&) = delete;
  virtual ~journal_store() = default;

  /// Writes the entries in one transaction, all or none. `ec::none`; `ec::storage_full` if there is
  /// no room for them; `ec::storage_failed` for any other reason. Blocks.
  [[nodiscard]] virtual failure write(std::span<const journal_entry> entries) = 0;

  /// Whether what the last `write` has given a failure for may be there all the same.
  [[nodiscard]] virtual bool perhaps_written() const { return false; }

  /// Does the upkeep that no answer has to wait for.
  virtual void tidy() = 0;

  /// Begins a copy into a new file; the name of it may be empty, see `back_up_journal`. `ec::none`,
  /// `ec::invalid_field`, or what could not be done. One at a time.
  [[nodiscard]] virtual failure begin_copy(const std::string& name) = 0;
  /// Copies another piece of it. Something else than `ec::none` ends the copy, without a file.
  struct copy_progress {
    failure why{ec::none, {}, {}};
    /// Set once the copy is on the disk.
    std::optional<journal_backup> made{};
  };
  [[nodiscard]] virtual copy_progress copy_piece() = 0;

  /// Its size on the disk.
  [[nodiscard]] virtual std::size_t bytes() const = 0;
};

} // namespace herald
