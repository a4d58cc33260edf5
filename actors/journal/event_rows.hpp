#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "messages/journal.hpp"

namespace herald {

/// Events as the journal stores them: many in one row, each with a head of fixed size (id, time,
/// service, lengths; little-endian) and its texts behind it.

/// Appends one event to a row.
void append_event_row(std::string& row, const kept_event& event, wall_time at);

/// Reads a row that `append_event_row` has made, and appends its events to `into`. False, and
/// nothing appended, for anything else: whatever the bytes are, what comes out of them is good.
[[nodiscard]] bool
read_event_row(std::string_view row, std::vector<journal_snapshot::dated_event>& into);

} // namespace herald
