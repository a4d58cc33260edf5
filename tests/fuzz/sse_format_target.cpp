// An event written onto the wire and read back by a parser that shares no code with the writer. The
// input is a name, a line break, the data.

#include <string>

#include "http/fanout/sse_format.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/sse_parser.hpp"

namespace herald::fuzz {

namespace {

/// What a client makes of the data's line breaks.
std::string with_plain_breaks(std::string_view data) {
  std::string text;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i] == '\r' && data.substr(i, 2) == "\r\n")
      continue;
    text += data[i] == '\r' ? '\n' : data[i];
  }
  return text;
}

} // namespace

HERALD_FUZZ_TARGET(sse_format, input) {
  input_reader in{input};
  const event_id id{in.byte() % 3U};
  const auto name = in.until('\n');
  const auto data = in.rest();
  std::string wire;
  append_event(wire, event_id{1}, "before", "{}");
  append_event(wire, id, name, data);
  append_comment(wire, "heartbeat");
  append_cursor(wire, event_id{5});
  append_comment(wire, "heartbeat");
  append_event(wire, event_id{9}, "after", "[]");

  testing::sse_parser client;
  in_pieces(wire, static_cast<std::uint8_t>(input.size()), [&](std::string_view piece) {
    client.feed(piece);
    return true;
  });
  const auto& events = client.events();
  require(events.size() == 3, "an event swallows or makes others");
  require(events[0] == testing::sse_event{"1", "before", "{}"}, "the event before has changed");
  require(events[2] == testing::sse_event{"9", "after", "[]"}, "the event after has changed");
  require(events[1].data == with_plain_breaks(data), "the data has changed");
  require(events[1].id == (id.value == 0 ? "" : to_string(id)), "the id has changed");
  std::string plain_name;
  for (const char c : name)
    if (c != '\r')
      plain_name += c;
  require(events[1].name == plain_name, "the name has changed");
  require(client.comments().size() == 2, "a comment comes or goes");
}

} // namespace herald::fuzz
