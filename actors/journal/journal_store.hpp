#pragma once

#include <cstddef>
#include <span>

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

  /// Its size on the disk.
  [[nodiscard]] virtual std::size_t bytes() const = 0;
};

} // namespace herald
