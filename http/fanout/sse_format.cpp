#include "http/fanout/sse_format.hpp"

#include <algorithm>

#include "messages/json/json_writer.hpp"

namespace herald {

namespace {

constexpr std::string_view line_breaks = "\r\n";

void append_line(std::string& out, std::string_view field, std::string_view value) {
  out += field;
  out += value;
  out += '\n';
}

/// A name is checked where it comes in; a line break that got past must not become a field.
void append_name(std::string& out, std::string_view name) {
  out += "event: ";
  std::copy_if(name.begin(), name.end(), std::back_inserter(out), [](char c) {
    return line_breaks.find(c) == std::string_view::npos;
  });
  out += '\n';
}

/// A field for each line. Two searches for one character: one for either looks at each character
/// by itself, which was a seventh of what an event costs.
void append_data(std::string& out, std::string_view data) {
  std::size_t begin = 0;
  auto feed = data.find('\n');
  auto carriage = data.find('\r');
  while (true) {
    const auto end = std::min(feed, carriage);
    append_line(out, "data: ", data.substr(begin, end - begin));
    if (end == std::string_view::npos)
      return;
    begin = end + (data.substr(end, 2) == "\r\n" ? 2 : 1);
    if (feed < begin)
      feed = data.find('\n', begin);
    if (carriage < begin)
      carriage = data.find('\r', begin);
  }
}

constexpr std::string_view ready = "ready";

/// Whether an event goes without an envelope where others have one.
bool stays_named(std::string_view name, frame_format format) {
  switch (format) {
  case frame_format::named:
    return true;
  case frame_format::envelope:
    return name.empty();
  case frame_format::envelope_mid:
    return name.empty() || name == "connection_close";
  case frame_format::envelope_v2:
    return name.empty() || name == ready || name == "rejected";
  }
  return true;
}

/// Gateways paste what a backend sends; of herald's own events a text is a payload, too.
std::string payload_of(std::string_view data, frame_format format) {
  if (data.empty())
    return "null";
  const bool is_json = format != frame_format::envelope || compact_json(data);
  return is_json ? std::string{data} : json_string(data);
}

} // namespace

void append_event(std::string& out, event_id id, std::string_view name, std::string_view data) {
  if (id.value != 0)
    append_line(out, "id: ", to_string(id));
  if (!name.empty())
    append_name(out, name);
  append_data(out, data);
  out += '\n';
}

void append_event(
  std::string& out, event_id id, std::string_view name, std::string_view data,
  frame_format format) {
  if (format == frame_format::envelope_v2 && name == ready && data.empty()) {
    // To the byte: it is what clients of the gateway wait for.
    out += "event: ready\ndata:\n\n";
    return;
  }
  if (stays_named(name, format))
    return append_event(out, id, name, data);
  const auto envelope =
    object_writer{}.text("type", name).raw("payload", payload_of(data, format)).finish();
  append_event(out, id, {}, envelope);
}

void append_cursor(std::string& out, event_id id, cursor_form form) {
  if (id.value == 0)
    return;
  if (form == cursor_form::event)
    return append_event(out, id, "cursor", "{}");
  append_line(out, "id: ", to_string(id));
  out += '\n';
}

void append_comment(std::string& out, std::string_view text) {
  append_line(out, ": ", text);
}

void append_retry(std::string& out, std::chrono::milliseconds after) {
  append_line(out, "retry: ", std::to_string(after.count()));
}

} // namespace herald
