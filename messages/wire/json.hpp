#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <caf/expected.hpp>

#include "messages/connections.hpp"
#include "messages/events.hpp"
#include "messages/json/json_reader.hpp"
#include "messages/versions.hpp"

/// Text <-> messages, at the edge: what API clients send, and what they and streams are shown.
/// Parsers answer `ec::invalid_json`, `ec::invalid_field`, `ec::unknown_field` and what else they
/// name; none of them throws.
namespace herald {

struct event_limits {
  /// Of the data of one event as it goes out.
  std::size_t max_event_bytes = std::size_t{256} * 1024;
  /// Events in one body.
  std::size_t max_events = 100'000;
};

/// How a body gives its events.
enum class event_format : std::uint8_t {
  json,   ///< one object, or an array of objects
  ndjson, ///< one object on each line
};

struct parsed_events {
  std::vector<draft> drafts;
  /// Given as a list, if of one: the answer speaks of several.
  bool many = false;
};

/// Longest event name, in characters.
inline constexpr std::size_t max_event_name_length = 128;

/// `{"event","data" or "text","request_id"?}`, one or many; all or none. `ec::event_too_large` for
/// data over the limit.
[[nodiscard]] caf::expected<parsed_events> parse_events(
  std::string_view body, const event_limits& limits, event_format format = event_format::json);

/// `{"request_id","version","changelog"?}`. `ec::event_too_large` for one whose event would be.
[[nodiscard]] caf::expected<queue_version>
parse_version(std::string_view body, const event_limits& limits);

/// `{"id","recipients"}`; with `waited` also `delivered`, `failed`, and `pending` if any stream was
/// still being written to when the wait ran out.
[[nodiscard]] std::string receipt_json(const publish_receipt& receipt, bool waited);
/// `{"count","ids"}`; with `waited` also the sums `recipients`, `delivered`, `failed`, `pending`.
[[nodiscard]] std::string batch_receipt_json(const publish_receipt& receipt, bool waited);

[[nodiscard]] std::string connection_page_json(const connection_page& page);

} // namespace herald
