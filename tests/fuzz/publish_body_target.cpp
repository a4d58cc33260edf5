// Bodies of `POST /api/events`: JSON, array, NDJSON. The first byte says which, and the limits.

#include <string>

#include <nlohmann/json.hpp>

#include "http/fanout/sse_format.hpp"
#include "messages/wire/event_json.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/sse_parser.hpp"

namespace herald::fuzz {

namespace {

void check(const draft& d, const event_limits& limits) {
  require(!d.name.empty(), "an event has no name");
  require(d.name.size() <= 4 * max_event_name_length, "an event's name is too long");
  require(
    d.name.find_first_of(std::string_view{"\r\n\0", 3}) == std::string::npos,
    "an event's name breaks its line");
  require(d.data.size() <= limits.max_event_bytes, "an event's data is too long");
  if (d.to) {
    require(
      d.to->page.empty() || !request_id_violation(d.to->page.str()),
      "a request_id breaks its rule");
    require(d.to->topics.size() <= max_event_topics, "an event has too many topics");
    for (const auto& topic : d.to->topics)
      require(!topic_violation(topic), "a topic breaks its rule");
    require(!d.to->everyone() || !d.to->except.empty(), "an audience names nobody");
  }
  std::string wire;
  append_event(wire, event_id{1}, d.name, d.data);
  testing::sse_parser client;
  client.feed(wire);
  require(client.events().size() == 1, "an event is not one event on the wire");
  require(client.events()[0].name == d.name, "a name changes on the wire");
}

bool same(const draft& a, const draft& b) {
  return a.name == b.name && a.data == b.data && static_cast<bool>(a.to) == static_cast<bool>(b.to)
         && (!a.to || *a.to == *b.to);
}

/// The lines of an NDJSON body as an array.
std::string as_array(std::string_view lines) {
  std::string array = "[";
  input_reader in{lines};
  while (!in.rest().empty()) {
    const auto line = in.until('\n');
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    if (array.size() > 1)
      array += ',';
    array += line;
  }
  return array + "]";
}

} // namespace

HERALD_FUZZ_TARGET(publish_body, input) {
  input_reader in{input};
  const auto choice = in.byte();
  event_limits limits;
  if ((choice & 2U) != 0)
    limits = {64, 3};
  const auto format = (choice & 1U) != 0 ? event_format::ndjson : event_format::json;
  const auto body = in.rest();
  const auto events = parse_events(body, limits, format);
  if (!events)
    return;
  require(events->many || events->drafts.size() == 1, "one event is not one");
  require(events->drafts.size() <= limits.max_events, "more events than allowed");
  for (const auto& d : events->drafts)
    check(d, limits);
  if (format != event_format::ndjson)
    return;
  const auto array = parse_events(as_array(body), limits, event_format::json);
  require(array.engaged(), "what is good as lines is not good as an array");
  require(array->drafts.size() == events->drafts.size(), "lines and array differ in number");
  for (std::size_t i = 0; i < array->drafts.size(); ++i)
    require(same(array->drafts[i], events->drafts[i]), "lines and array differ");
}

} // namespace herald::fuzz
