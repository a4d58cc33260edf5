#include "messages/wire/json.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "messages/json/json_writer.hpp"
#include "messages/text/iso_time.hpp"
#include "messages/wire/version_json.hpp"

namespace herald {

namespace {

std::size_t count_characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

void check_event_name(json_reader& in, const std::string& name) {
  if (name.empty())
    in.blame(ec::invalid_field, "must not be empty", "event");
  else if (count_characters(name) > max_event_name_length)
    in.blame(
      ec::invalid_field, "must be at most " + std::to_string(max_event_name_length) + " characters",
      "event");
  else if (name.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos)
    in.blame(ec::invalid_field, "must not contain CR, LF or NUL", "event");
}

std::string too_large(std::size_t bytes, const event_limits& limits) {
  return "takes " + std::to_string(bytes) + " bytes; at most "
         + std::to_string(limits.max_event_bytes) + " are allowed";
}

/// The one of `data` and `text` that is given, as it goes onto the wire.
std::string event_data(json_reader& in, const event_limits& limits) {
  const bool has_text = in.has("text");
  auto data = in.optional_json("data");
  auto text = in.optional_text("text");
  if (data.has_value() && has_text)
    in.blame(ec::invalid_field, "give either data or text, not both", "text");
  else if (!data && !has_text)
    in.blame(ec::invalid_field, "is required (or text, for text that is not JSON)", "data");
  auto result = data ? std::move(*data) : std::move(text).value_or(std::string{});
  if (result.size() > limits.max_event_bytes)
    in.blame(ec::event_too_large, too_large(result.size(), limits), has_text ? "text" : "data");
  return result;
}

caf::expected<draft> parse_event(json_reader& in, const event_limits& limits) {
  draft result;
  result.name = in.text("event");
  check_event_name(in, result.name);
  result.data = event_data(in, limits);
  result.to.only = in.optional_id("request_id");
  if (auto error = in.finish())
    return error;
  return result;
}

/// What a wait for delivery has come to.
void add_outcome(object_writer& out, const publish_receipt& receipt) {
  out.number("delivered", receipt.delivered).number("failed", receipt.failed);
  const auto settled = receipt.delivered + receipt.failed;
  if (settled < receipt.recipients)
    out.number("pending", receipt.recipients - settled);
}

std::string connection_json(const connection_view& connection) {
  return object_writer{}
    .text("request_id", connection.id.str())
    .text("token", connection.stream.str())
    .text("url", connection.url)
    .text("transport", to_string(connection.transport))
    .text("connected_at", iso_time(connection.connected_at))
    .finish();
}

} // namespace

caf::expected<parsed_events>
parse_events(std::string_view body, const event_limits& limits, event_format format) {
  parsed_events result;
  const object_visitor visit = [&](json_reader& in, std::size_t) -> caf::error {
    auto event = parse_event(in, limits);
    if (!event)
      return event.error();
    result.drafts.push_back(std::move(*event));
    return {};
  };
  if (format == event_format::ndjson) {
    result.many = true;
    if (auto error = read_object_lines(body, limits.max_events, visit))
      return error;
    return result;
  }
  const auto shape = read_objects(body, limits.max_events, visit);
  if (!shape)
    return shape.error();
  result.many = *shape == json_shape::array;
  return result;
}

caf::expected<queue_version> parse_version(std::string_view body, const event_limits& limits) {
  auto in = read_object(body);
  if (!in)
    return in.error();
  queue_version result;
  result.id = in->id("request_id");
  result.version = in->text("version");
  result.changelog = in->nullable_text("changelog");
  if (result.version.empty())
    in->blame(ec::invalid_field, "must not be empty", "version");
  const auto bytes = version_data({result.version, result.changelog}).size();
  const bool by_changelog = result.changelog && result.changelog->size() > result.version.size();
  if (bytes > limits.max_event_bytes)
    in->blame(
      ec::event_too_large, too_large(bytes, limits), by_changelog ? "changelog" : "version");
  if (auto error = in->finish())
    return error;
  return result;
}

std::string receipt_json(const publish_receipt& receipt, bool waited) {
  object_writer out;
  out.text("id", receipt.ids.empty() ? std::string{} : to_string(receipt.ids.front()));
  out.number("recipients", receipt.recipients);
  if (waited)
    add_outcome(out, receipt);
  return out.finish();
}

std::string batch_receipt_json(const publish_receipt& receipt, bool waited) {
  object_writer out;
  out.number("count", receipt.ids.size());
  out.raw("ids", array_json(receipt.ids, [](event_id id) { return json_string(to_string(id)); }));
  if (waited) {
    out.number("recipients", receipt.recipients);
    add_outcome(out, receipt);
  }
  return out.finish();
}

std::string connection_page_json(const connection_page& page) {
  return object_writer{}
    .raw("connections", array_json(page.connections, connection_json))
    .number("total", page.total)
    .raw("next", page.next ? json_string(std::to_string(*page.next)) : "null")
    .finish();
}

} // namespace herald
