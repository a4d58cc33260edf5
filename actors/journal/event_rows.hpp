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
///       17  4      R: 0 if it is for everyone; 1 and the length of a request_id if it is for
///                  that page alone; 2^31 and the length of its attributes if there is more to say
///       21  4      N: length of the name
///       25  4      D: length of the data
///       29  R - 1  request_id, one that obeys `request_id_violation`; nothing where R is 0. Or the
///                  attributes, R - 2^31 bytes
///           N      name, without CR, LF and NUL
///           D      data
///
/// Attributes stand one behind the other, each as one byte for its kind, two for the length of its
/// text, and the text. Kinds: 1 request_id, 2 subject, 3 role (each at most once), 4 topic, 5
/// request_id that is left out (each up to 16 times), 6 time to live, in milliseconds, as 8 bytes.
/// Rows with attributes are in files of version 2 and later.

/// Appends one event to a row.
void append_event_row(std::string& row, const kept_event& event, wall_time at);

/// Reads a row that `append_event_row` has made, and appends its events to `into`. False, and
/// nothing appended, for anything else: whatever the bytes are, what comes out of them is good.
[[nodiscard]] bool
read_event_row(std::string_view row, std::vector<journal_snapshot::dated_event>& into);

} // namespace herald
