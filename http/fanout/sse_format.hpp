#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "messages/events.hpp"
#include "messages/formats.hpp"

namespace herald {

/// Appends one event in the text/event-stream format: `id:` (unless it is 0), `event:` (unless the
/// name is empty), one `data:` line per line of the data, and the empty line that ends it. Lines
/// end at LF, CR LF or CR, as they do for the client: what it puts together again is the data with
/// LF for every line break.
void append_event(std::string& out, event_id id, std::string_view name, std::string_view data);

/// The same in a format. The data of an event in an envelope is pasted as it is, as gateways do,
/// and so should be JSON; where there is none, the payload is null.
void append_event(
  std::string& out, event_id id, std::string_view name, std::string_view data, frame_format format);

/// Appends the id that a client comes back with if it gets no event after it: a block without data,
/// of which clients keep the id and fire nothing. Nothing if it is 0.
void append_cursor(std::string& out, event_id id);

// No empty line ends what follows: there are clients that take each empty line for an event.

/// Appends a comment, which clients ignore. `text` is one line.
void append_comment(std::string& out, std::string_view text);

/// Appends the time after which a client that lost its stream comes back.
void append_retry(std::string& out, std::chrono::milliseconds after);

} // namespace herald
