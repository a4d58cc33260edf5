#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "messages/journal.hpp"

namespace herald {

/// Events as the journal stores them: one or more in a row (the column `events` of its table
/// `events`), one behind the other, with nothing between them. Numbers are unsigned and
/// little-endian. The bytes of an event:
///
///   offset  size   what
///        0  8      id, above that of the event before it, at most 2^62
///        8  8      when it was published, in microseconds since 1970-01-01 UTC
///       16  1      service: 0 version, 1 task, 2 event
///       17  4      R: 0 if it is for everyone, else 1 and the length of the request_id
///       21  4      N: length of the name
///       25  4      D: length of the data
///       29  R - 1  request_id, one that obeys `request_id_violation`; nothing where R is 0
///           N      name, without CR, LF and NUL
///           D      data

/// Appends one event to a row.
void append_event_row(std::string& row, const kept_event& event, wall_time at);

/// Reads a row that `append_event_row` has made, and appends its events to `into`. False, and
/// nothing appended, for anything else: whatever the bytes are, what comes out of them is good.
[[nodiscard]] bool
read_event_row(std::string_view row, std::vector<journal_snapshot::dated_event>& into);

} // namespace herald
