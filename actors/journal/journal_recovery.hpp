#pragma once

#include <memory>

#include <caf/expected.hpp>

#include "actors/journal/journal_file.hpp"
#include "actors/journal/journal_options.hpp"
#include "messages/journal.hpp"

namespace herald {

/// The journal of a new life of herald, opened, with its contents.
struct recovered_journal {
  std::unique_ptr<journal_file> file;
  /// `ids_upto` is the last id that may have been given out before, or the clock where that is
  /// later; `history_floor` is set, whatever is in the file.
  journal_snapshot snapshot;
  event_id ids_reserved;
};

/// Opens the journal and reads what former lives have written, before anything is published. Logs
/// what it finds. Fails, in words for the operator, if herald must not start with this file.
[[nodiscard]] caf::expected<recovered_journal>
recover_journal(const journal_settings& options, wall_time now);

} // namespace herald
