#include "http/api/internal_send_api.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "http/server/ask.hpp"
#include "messages/type_ids.hpp"

namespace herald {

namespace {

/// A field as far as the protocol cares: whether it was given, and with the right type.
enum class given : std::uint8_t { no, wrong_type, yes };

/// Picks the known fields out of a body in one pass, without building a tree: this is a hot path,
/// one request per event and stream. Of a repeated field the last one counts.
class send_reader {
public:
  using json = nlohmann::json;

  given token_given = given::no;
  given event_given = given::no;
  given name_given = given::no;
  given data_given = given::no;
  given close_given = given::no;
  std::string token;
  std::string name;
  std::string data;
  bool close = false;

  // What the parser calls.
  bool null() { return mismatch(take_field()); }
  bool number_integer(json::number_integer_t /*value*/) { return mismatch(take_field()); }
  bool number_unsigned(json::number_unsigned_t /*value*/) { return mismatch(take_field()); }
  bool number_float(json::number_float_t /*value*/, const std::string& /*text*/) {
    return mismatch(take_field());
  }
  bool binary(json::binary_t& /*value*/) { return mismatch(take_field()); }

  bool boolean(bool value) {
    const auto which = take_field();
    if (which != field::close)
      return mismatch(which);
    close = value;
    close_given = given::yes;
    return true;
  }

  bool string(std::string& value) {
    switch (const auto which = take_field()) {
    case field::token:
      return keep(value, token, token_given);
    case field::name:
      return keep(value, name, name_given);
    case field::data:
      return keep(value, data, data_given);
    default:
      return mismatch(which);
    }
  }

  bool start_object(std::size_t /*elements*/) {
    const auto which = take_field();
    ++depth_;
    if (which != field::event)
      return mismatch(which);
    event_given = given::yes;
    name_given = data_given = given::no;
    in_event_ = true;
    return true;
  }

  bool end_object() { return leave(); }

  bool start_array(std::size_t /*elements*/) {
    ++depth_;
    return mismatch(take_field());
  }

  bool end_array() { return leave(); }

  bool key(const std::string& text) {
    next_ = field::none;
    if (depth_ == 1) {
      if (text == "token")
        next_ = field::token;
      else if (text == "event")
        next_ = field::event;
      else if (text == "close")
        next_ = field::close;
    } else if (depth_ == 2 && in_event_) {
      if (text == "name")
        next_ = field::name;
      else if (text == "data")
        next_ = field::data;
    }
    return true;
  }

  bool parse_error(
    std::size_t /*position*/, const std::string& /*last*/, const json::exception& /*error*/) {
    return false;
  }

private:
  enum class field : std::uint8_t { none, token, event, close, name, data };

  /// The known field whose value begins now. The elements of an array are of none.
  field take_field() { return std::exchange(next_, field::none); }

  static bool keep(std::string& from, std::string& into, given& state) {
    into = std::move(from);
    state = given::yes;
    return true;
  }

  bool mismatch(field which) {
    switch (which) {
    case field::none:
      break;
    case field::token:
      token_given = given::wrong_type;
      break;
    case field::event:
      event_given = given::wrong_type;
      break;
    case field::close:
      close_given = given::wrong_type;
      break;
    case field::name:
      name_given = given::wrong_type;
      break;
    case field::data:
      data_given = given::wrong_type;
      break;
    }
    return true;
  }

  bool leave() {
    --depth_;
    if (depth_ == 1)
      in_event_ = false;
    return true;
  }

  field next_ = field::none;
  std::size_t depth_ = 0;
  bool in_event_ = false;
};

/// The first rule of the protocol that the body breaks.
std::optional<send_refusal>
violation_of(const send_reader& body, const internal_send_options& options) {
  if (body.token_given != given::yes || body.token.empty())
    return send_refusal{400, "INVALID_TOKEN_MISSING", "token must be a non-empty string"};
  if (body.event_given == given::wrong_type)
    return send_refusal{400, "INVALID_EVENT_TYPE", "event must be an object"};
  if (body.event_given == given::yes) {
    if (body.data_given != given::yes)
      return send_refusal{400, "INVALID_EVENT_DATA_MISSING", "event.data must be a string"};
    if (body.name_given == given::wrong_type)
      return send_refusal{400, "INVALID_EVENT_NAME_TYPE", "event.name must be a string"};
    // A line break in the name would let the sender write any other field of the stream.
    constexpr std::string_view unwritable{"\r\n\0", 3};
    if (body.name_given == given::yes && body.name.find_first_of(unwritable) != std::string::npos)
      return send_refusal{
        400, "INVALID_EVENT_NAME_TYPE", "event.name must not contain CR, LF or NUL"};
    if (body.data.size() > options.max_event_bytes)
      return send_refusal{413, "EVENT_TOO_LARGE", "event.data is too long"};
  }
  if (body.close_given == given::wrong_type)
    return send_refusal{400, "INVALID_CLOSE_TYPE", "close must be a boolean"};
  return std::nullopt;
}

api_reply refused(const send_refusal& why) {
  api_reply reply;
  reply.status = why.status;
  reply.body = R"({"error":{"message":")";
  reply.body.append(why.message).append(R"(","code":")").append(why.code).append(R"("}})");
  return reply;
}

/// What the owner of the streams could not do. Only the first is the protocol's own; the others are
/// statuses on which a sender tries again.
send_refusal refusal_of(const caf::error& error) {
  switch (describe(error).code) {
  case ec::no_such_stream:
  case ec::no_such_connection:
    return {404, "TOKEN_NOT_FOUND", "no open stream has this token"};
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
  send_reader reader;
  // The parser takes a NUL for the end of the text.
  const bool has_nul = body.find('\0') != std::string_view::npos;
  if (has_nul || (!body.empty() && !nlohmann::json::sax_parse(body, &reader)))
    return send_refusal{400, "INVALID_JSON", "the body is not JSON"};
  if (const auto violation = violation_of(reader, options))
    return *violation;
  send_to_stream command;
  command.stream = token::from_text(reader.token);
  if (reader.event_given == given::yes) {
    command.event.emplace();
    if (reader.name_given == given::yes)
      command.event->name = std::move(reader.name);
    command.event->data = std::move(reader.data);
  }
  command.close = reader.close_given == given::yes && reader.close;
  return command;
}

void add_internal_send_api(
  router& routes, caf::actor_system& system, stream_owner_actor owner,
  internal_send_options options) {
  routes.add(
    "POST", "/internal/send",
    [&system, owner = std::move(owner), options](const api_request& request) {
      auto parsed = parse_internal_send(request.body, options);
      if (const auto* refusal = std::get_if<send_refusal>(&parsed))
        return refused(*refusal);
      const auto answer =
        ask<send_status>(system, owner, std::move(std::get<send_to_stream>(parsed)));
      if (!answer)
        return refused(refusal_of(answer.error()));
      api_reply reply;
      reply.body =
        *answer == send_status::buffered ? R"({"status":"buffered"})" : R"({"status":"ok"})";
      return reply;
    });
}

} // namespace herald
