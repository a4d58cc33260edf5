#include "http/api/internal_send_api.hpp"

#include <string>
#include <utility>

#include "http/protocol/json_reply.hpp"
#include "http/server/ask.hpp"
#include "messages/errors.hpp"
#include "messages/json/json_objects.hpp"
#include "messages/type_ids.hpp"

namespace herald {

namespace {

/// The refusal in the protocol's words, by the field that is to blame.
send_refusal refusal_of(const failure& why) {
  if (why.code == ec::event_too_large)
    return {413, "EVENT_TOO_LARGE", "event.data is too long"};
  if (why.code == ec::malformed_request)
    return {400, "INVALID_EVENT_NAME_TYPE", "event.name must not contain CR, LF or NUL"};
  if (why.field == "event")
    return {400, "INVALID_EVENT_TYPE", "event must be an object"};
  if (why.field == "data")
    return {400, "INVALID_EVENT_DATA_MISSING", "event.data is required and must be a string"};
  if (why.field == "name")
    return {400, "INVALID_EVENT_NAME_TYPE", "event.name must be a string"};
  if (why.field == "close")
    return {400, "INVALID_CLOSE_TYPE", "close must be a boolean"};
  return {400, "INVALID_TOKEN_MISSING", "token is required and must be a string"};
}

caf::expected<send_to_stream::message>
read_event(std::string_view json, const internal_send_options& options) {
  auto in = read_object_leniently(json, {"name", "data"});
  if (!in)
    return in.error();
  send_to_stream::message event;
  event.data = in->text("data");
  event.name = in->optional_text("name").value_or(std::string{});
  // A line break in the name would let the sender write any other field of the stream.
  if (event.name.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos)
    in->blame(ec::malformed_request, "must not contain CR, LF or NUL", "name");
  if (event.data.size() > options.max_event_bytes)
    in->blame(ec::event_too_large, "is too long", "data");
  if (auto error = in->finish())
    return error;
  return event;
}

/// Fails with the field of the first rule of the protocol that the body breaks.
caf::expected<send_to_stream> read_send(json_reader& in, const internal_send_options& options) {
  send_to_stream command;
  const auto stream = in.text("token");
  if (stream.empty())
    in.blame(ec::invalid_field, "must not be empty", "token");
  command.stream = token::from_text(stream);
  if (const auto json = in.optional_object("event")) {
    auto event = read_event(*json, options);
    if (event)
      command.event = std::move(*event);
    else
      in.blame(event.error());
  }
  command.close = in.optional_boolean("close").value_or(false);
  if (auto error = in.finish())
    return error;
  return command;
}

api_reply refused(const send_refusal& why) {
  const auto error = object_writer{}.text("message", why.message).text("code", why.code).finish();
  return json_reply(why.status, object_writer{}.raw("error", error).finish());
}

/// The refusal for what the owner of the streams could not do. Only the first is the protocol's
/// own; on the others a sender tries again.
send_refusal refusal_by_owner(const caf::error& error) {
  switch (describe(error).code) {
  case ec::no_such_stream:
  case ec::no_such_connection:
    return {404, "TOKEN_NOT_FOUND", "Token not found"};
  case ec::overloaded:
    return {503, "OVERLOADED", "too much waits for this stream to open"};
  case ec::shutting_down:
    return {503, "SHUTTING_DOWN", "herald is shutting down"};
  case ec::timed_out:
    return {504, "TIMED_OUT", "herald did not answer in time"};
  default:
    return {500, "INTERNAL_ERROR", "internal error while sending"};
  }
}

} // namespace

std::variant<send_to_stream, send_refusal>
parse_internal_send(std::string_view body, const internal_send_options& options) {
  // A byte order mark does not disturb gateways.
  constexpr std::string_view mark = "\xef\xbb\xbf";
  if (body.empty())
    body = "{}";
  else if (body.starts_with(mark))
    body.remove_prefix(mark.size());
  auto in = read_object_leniently(body, {"token", "event", "close"});
  if (!in && !compact_json(body))
    return send_refusal{400, "INVALID_JSON", "the body must be JSON"};
  if (!in)
    return refusal_of(describe(in.error()));
  auto command = read_send(*in, options);
  if (!command)
    return refusal_of(describe(command.error()));
  return std::move(*command);
}

void add_internal_send_api(
  router& routes, caf::actor_system& system, stream_owner_actor owner,
  internal_send_options options) {
  routes.add(
    "POST", "/internal/send", foreign_protocol,
    [&system, owner = std::move(owner), options](const api_request& request) {
      auto parsed = parse_internal_send(request.body, options);
      if (const auto* refusal = std::get_if<send_refusal>(&parsed))
        return refused(*refusal);
      const auto answer =
        ask<send_status>(system, owner, std::move(std::get<send_to_stream>(parsed)));
      if (!answer)
        return refused(refusal_by_owner(answer.error()));
      return status_reply(200, *answer == send_status::buffered ? "buffered" : "ok");
    });
}

} // namespace herald
