#include "actors/webhooks/webhook_json.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "messages/json/json_writer.hpp"
#include "messages/text/iso_time.hpp"

namespace herald {

namespace {

object_writer& write_stream(object_writer& out, const stream_facts& stream) {
  return out.text_or_null("request_id", stream.id.str())
    .text("token", stream.stream.str())
    .text_or_null("subject", stream.subject)
    .raw("topics", array_json(stream.topics, [](const auto& topic) { return json_string(topic); }))
    .text_or_null("address", stream.address);
}

/// Seconds with three digits behind the point. The clock may have been set back meanwhile.
std::string seconds_json(wall_time::duration time) {
  const auto ms =
    std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count(), 0);
  return std::to_string(ms / 1000) + '.' + std::to_string(1000 + ms % 1000).substr(1);
}

} // namespace

std::string opened_json(const stream_facts& stream) {
  object_writer out;
  return write_stream(out, stream).finish();
}

std::string closed_json(const stream_facts& stream, const std::string& reason, wall_time at) {
  object_writer out;
  return write_stream(out, stream)
    .text("reason", reason)
    .raw("duration_s", seconds_json(at - stream.opened_at))
    .finish();
}

std::string topic_json(const std::string& topic) {
  return object_writer{}.text("topic", topic).finish();
}

std::string webhook_id(const webhook_event& event) {
  return "evt_" + std::to_string(event.number);
}

std::string batch_json(std::span<const webhook_event* const> events) {
  const auto one = [](const webhook_event* event) {
    return object_writer{}
      .text("id", webhook_id(*event))
      .text("type", event->type)
      .text("timestamp", iso_time(event->at))
      .raw("data", event->data)
      .finish();
  };
  return object_writer{}
    .text("type", "batch")
    .text("timestamp", iso_time(events.back()->at))
    .raw("events", array_json(events, one))
    .finish();
}

} // namespace herald
