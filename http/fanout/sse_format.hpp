#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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

/// How a client is told the id that it comes back with if it gets no event after it.
enum class cursor_form : std::uint8_t {
  /// A block without data: as the standard has it, clients keep its id and fire nothing.
  block,
  /// An event `cursor`: for clients that keep the ids of events alone. EventSource fires nothing
  /// where nobody listens for it.
  event,
};

inline constexpr std::size_t cursor_form_count = 2;

/// Appends that id. Nothing if it is 0.
void append_cursor(std::string& out, event_id id, cursor_form form = cursor_form::block);

// No empty line ends what follows: there are clients that take each empty line for an event.

/// Appends a comment, which clients ignore. `text` is one line.
void append_comment(std::string& out, std::string_view text);

/// Appends the time after which a client that lost its stream comes back.
void append_retry(std::string& out, std::chrono::milliseconds after);

} // namespace herald
