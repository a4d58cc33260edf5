#pragma once

#include <span>
#include <string>

#include "messages/backend.hpp"
#include "messages/connections.hpp"

namespace herald {

/// The data of `stream.opened`: `{"request_id","token","subject","topics","address"}`, null for
/// what is not known.
[[nodiscard]] std::string opened_json(const stream_facts& stream);

/// The data of `stream.closed`: the same, with `"reason"` and `"duration_s"`.
[[nodiscard]] std::string
closed_json(const stream_facts& stream, const std::string& reason, wall_time at);

/// The data of `topic.occupied` and `topic.vacant`: `{"topic"}`.
[[nodiscard]] std::string topic_json(const std::string& topic);

/// The id of an event as receivers see it; the same at each try, and over restarts.
[[nodiscard]] std::string webhook_id(const webhook_event& event);

/// The body of a batch: `{"type":"batch","timestamp","events":[{"id","type","timestamp","data"}]}`.
/// Its time is that of its last event. There must be one.
[[nodiscard]] std::string batch_json(std::span<const webhook_event* const> events);

} // namespace herald
