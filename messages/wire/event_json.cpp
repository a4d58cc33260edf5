#include "messages/wire/event_json.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "messages/json/json_objects.hpp"
#include "messages/json/json_writer.hpp"
#include "messages/text/utf8.hpp"

namespace herald {

namespace {

std::size_t count_characters(std::string_view utf8) {
  return utf8.size()
         - static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), is_utf8_continuation));
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

/// `data` or `text`, whichever is given, as it goes onto the wire.
std::string event_data(json_reader& in, const event_limits& limits) {
  auto data = in.optional_json("data");
  auto text = in.optional_text("text");
  if (data && text)
    in.blame(ec::invalid_field, "give either data or text, not both", "text");
  else if (!data && !text)
    in.blame(ec::invalid_field, "is required (or text, for text that is not JSON)", "data");
  auto result = data ? std::move(*data) : std::move(text).value_or(std::string{});
  limit_event(in, result.size(), limits, data ? "data" : "text");
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

/// Adds the counts of a wait for delivery.
void add_delivery_counts(object_writer& out, const publish_receipt& receipt) {
  out.number("delivered", receipt.delivered).number("failed", receipt.failed);
  const auto known = receipt.delivered + receipt.failed;
  if (known < receipt.recipients)
    out.number("pending", receipt.recipients - known);
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

void limit_event(
  json_reader& in, std::size_t bytes, const event_limits& limits, std::string_view field) {
  if (bytes > limits.max_event_bytes)
    in.blame(
      ec::event_too_large,
      "takes " + std::to_string(bytes) + " bytes; at most " + std::to_string(limits.max_event_bytes)
        + " are allowed",
      field);
}

std::string receipt_json(const publish_receipt& receipt, bool waited) {
  object_writer out;
  out.text("id", receipt.ids.empty() ? std::string{} : to_string(receipt.ids.front()));
  out.number("recipients", receipt.recipients);
  if (waited)
    add_delivery_counts(out, receipt);
  return out.finish();
}

std::string batch_receipt_json(const publish_receipt& receipt, bool waited) {
  object_writer out;
  out.number("count", receipt.ids.size());
  out.raw("ids", array_json(receipt.ids, [](event_id id) { return json_string(to_string(id)); }));
  if (waited) {
    out.number("recipients", receipt.recipients);
    add_delivery_counts(out, receipt);
  }
  return out.finish();
}

} // namespace herald
