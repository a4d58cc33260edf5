#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <caf/expected.hpp>

#include "messages/events.hpp"
#include "messages/history.hpp"
#include "messages/json/json_reader.hpp"

/// Bodies of `POST /api/events`, and the answers. Parsers fail with `ec::invalid_json`,
/// `ec::invalid_field`, `ec::unknown_field` and what else they name; none of them throws.
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

/// Longest `ttl_s`, in seconds: a year.
inline constexpr int max_ttl_s = 31'536'000;

/// `{"event","data" or "text"}` and, each optional, who it is for (audience_json.hpp), `ttl_s`,
/// `history` and `retain`; one or many; all or none. `ec::event_too_large` for data over the limit.
[[nodiscard]] caf::expected<parsed_events> parse_events(
  std::string_view body, const event_limits& limits, event_format format = event_format::json);

/// Blames `field` with `ec::event_too_large` if the data of an event takes too many bytes.
void limit_event(
  json_reader& in, std::size_t bytes, const event_limits& limits, std::string_view field);

/// `{"events":[{"id","event","data" or "text","time"}],"last_id","gap"}`, each event with who it is
/// for. Data that is JSON stands as it is.
[[nodiscard]] std::string to_json(const event_page& page);

/// `{"id","recipients"}`; with `waited` also `delivered`, `failed`, and `pending` if any stream was
/// still being written to when the wait ran out.
[[nodiscard]] std::string receipt_json(const publish_receipt& receipt, bool waited);
/// `{"count","ids"}`; with `waited` also the sums `recipients`, `delivered`, `failed`, `pending`.
[[nodiscard]] std::string batch_receipt_json(const publish_receipt& receipt, bool waited);

} // namespace herald
