#include "messages/wire/event_json.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "messages/json/json_objects.hpp"
#include "messages/json/json_writer.hpp"
#include "messages/text/iso_time.hpp"
#include "messages/text/utf8.hpp"
#include "messages/wire/audience_json.hpp"

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

/// `data` or `text`, whichever is given, as it goes onto the wire; and which it was.
std::pair<std::string, bool> event_data(json_reader& in, const event_limits& limits) {
  auto data = in.optional_json("data");
  auto text = in.optional_text("text");
  if (data && text)
    in.blame(ec::invalid_field, "give either data or text, not both", "text");
  else if (!data && !text)
    in.blame(ec::invalid_field, "is required (or text, for text that is not JSON)", "data");
  auto result = data ? std::move(*data) : std::move(text).value_or(std::string{});
  limit_event(in, result.size(), limits, data ? "data" : "text");
  return {std::move(result), data.has_value()};
}

std::chrono::milliseconds event_ttl(json_reader& in) {
  const auto ttl_s = in.optional_number("ttl_s");
  if (!ttl_s)
    return {};
  if (!(*ttl_s >= 0.001 && *ttl_s <= max_ttl_s)) {
    in.blame(
      ec::invalid_field, "must be from 0.001 to " + std::to_string(max_ttl_s) + " seconds",
      "ttl_s");
    return {};
  }
  return std::chrono::milliseconds{std::llround(*ttl_s * 1000)};
}

/// What becomes of the value of the event's topic. JSON's null ends it; a text that says so is one.
retention event_retention(json_reader& in, const draft& event, bool is_json) {
  if (!in.optional_boolean("retain").value_or(false))
    return retention::none;
  const auto& to = event.to;
  const bool one_topic = to && to->topics.size() == 1 && to->page.empty() && to->subject.empty()
                         && to->role.empty() && to->except.empty();
  if (!one_topic)
    in.blame(ec::invalid_field, "is for an event with one topic and no other audience", "retain");
  else if (!event.history)
    in.blame(ec::invalid_field, "is not for an event that is not kept (history)", "retain");
  return is_json && event.data == "null" ? retention::forget : retention::keep;
}

caf::expected<draft> parse_event(json_reader& in, const event_limits& limits) {
  draft result;
  result.name = in.text("event");
  check_event_name(in, result.name);
  auto [data, is_json] = event_data(in, limits);
  result.data = std::move(data);
  result.to = parse_audience(in);
  result.ttl = event_ttl(in);
  result.history = in.optional_boolean("history").value_or(true);
  result.value = event_retention(in, result, is_json);
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

std::string to_json(const event_page& page) {
  const auto one = [](const event_page::entry& entry) {
    const auto& what = *entry.event.what;
    object_writer out;
    out.text("id", to_string(what.id)).text("event", what.name);
    if (compact_json(what.data))
      out.raw("data", what.data);
    else
      out.text("text", what.data);
    out.text("time", iso_time(entry.at));
    audience_fields(out, entry.event.to);
    return out.finish();
  };
  return object_writer{}
    .raw("events", array_json(page.events, one))
    .text("last_id", to_string(page.last))
    .boolean("gap", page.gap)
    .finish();
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
