// Bodies of `POST /internal/send`, and those that herald itself makes.

#include <string>
#include <variant>

#include "actors/gateway/gateway_body.hpp"
#include "http/api/internal_send_api.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

HERALD_FUZZ_TARGET(internal_send, input) {
  const internal_send_options options{300};
  const auto parsed = parse_internal_send(input, options);
  if (const auto* refusal = std::get_if<send_refusal>(&parsed)) {
    require(refusal->status >= 400 && !refusal->code.empty(), "a refusal that is none");
    return;
  }
  const auto& command = std::get<send_to_stream>(parsed);
  require(!command.stream.str().empty(), "a token is empty");
  prepared_ptr prepared;
  if (command.event) {
    require(command.event->data.size() <= options.max_event_bytes, "an event is too long");
    require(
      command.event->name.find_first_of(std::string_view{"\r\n\0", 3}) == std::string::npos,
      "a name breaks its line");
    event what;
    what.name = command.event->name;
    what.data = command.event->data;
    prepared = prepare(what);
  }
  std::string body;
  write_send_body(body, command.stream, prepared.get(), command.close);
  const auto again = parse_internal_send(body, options);
  const auto* same = std::get_if<send_to_stream>(&again);
  require(same != nullptr, "what was understood is refused when said again");
  require(same->stream == command.stream && same->close == command.close, "it says something else");
  require(same->event.has_value() == command.event.has_value(), "an event comes or goes");
  if (same->event)
    require(
      same->event->data == command.event->data && same->event->name == command.event->name,
      "an event has changed");
}

} // namespace herald::fuzz
