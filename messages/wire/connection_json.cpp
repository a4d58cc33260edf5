#include "messages/wire/connection_json.hpp"

#include <utility>
#include <vector>

#include "messages/json/json_objects.hpp"
#include "messages/json/json_writer.hpp"
#include "messages/text/iso_time.hpp"

namespace herald {

namespace {

std::string texts_json(const std::vector<std::string>& texts) {
  return array_json(texts, [](const std::string& text) { return json_string(text); });
}

std::string backlog_json(const stream_backlog& behind) {
  object_writer out;
  out.number("events", behind.events).number("bytes", behind.bytes);
  if (behind.unacknowledged)
    out.number("unacknowledged_bytes", *behind.unacknowledged);
  else
    out.raw("unacknowledged_bytes", "null");
  return out.boolean("replaying", behind.replaying).finish();
}

std::string connection_json(const connection_view& connection) {
  const auto& hears = connection.hears;
  object_writer out;
  out.text_or_null("request_id", connection.id.str())
    .text("token", connection.stream.str())
    .text("url", connection.url)
    .text("transport", to_string(connection.transport))
    .text("connected_at", iso_time(connection.connected_at))
    .raw("topics", texts_json(hears.patterns))
    .text_or_null("subject", hears.subject)
    .raw("roles", texts_json(hears.roles))
    .boolean("broadcast", hears.broadcast);
  if (connection.bindings)
    out.raw("bindings", texts_json(*connection.bindings));
  return out.text_or_null("address", connection.client.address)
    .text_or_null("agent", connection.client.agent)
    .raw("behind", connection.behind ? backlog_json(*connection.behind) : "null")
    .finish();
}

} // namespace

std::string to_json(const connection_page& page) {
  return object_writer{}
    .raw("connections", array_json(page.connections, connection_json))
    .number("total", page.total)
    .text_or_null("next", page.next ? std::to_string(*page.next) : std::string{})
    .finish();
}

std::string to_json(const topic_page& page) {
  const auto one = [](const topic_page::topic& topic) {
    return object_writer{}.text("topic", topic.pattern).number("streams", topic.streams).finish();
  };
  return object_writer{}
    .raw("topics", array_json(page.topics, one))
    .number("total", page.total)
    .text_or_null("next", page.next ? std::to_string(*page.next) : std::string{})
    .finish();
}

std::string to_json(const topics_changed& changed) {
  return object_writer{}.raw("topics", texts_json(changed.patterns)).finish();
}

caf::expected<change_topics> parse_topic_changes(request_id id, std::string_view body) {
  return parse_object(body, [&id](json_reader& in) {
    const auto patterns = [&in](std::string_view name) {
      auto all =
        in.optional_texts(name, max_changed_topics, true).value_or(std::vector<std::string>{});
      for (std::size_t i = 0; i < all.size(); ++i)
        if (const auto broken = pattern_violation(all[i]))
          in.blame(
            ec::invalid_field, std::string{*broken},
            std::string{name}.append("[").append(std::to_string(i)).append("]"));
      return all;
    };
    auto add = patterns("add");
    auto remove = patterns("remove");
    if (add.empty() && remove.empty())
      in.blame(ec::invalid_field, "is required (or remove)", "add");
    return change_topics{std::move(id), std::move(add), std::move(remove)};
  });
}

} // namespace herald
