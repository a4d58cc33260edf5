#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

namespace herald {

/// Deepest nesting of arrays and objects that is read.
inline constexpr std::size_t max_json_depth = 128;

/// Appends `text` as a JSON string: in quotes, escaped where JSON demands it and nowhere else. What
/// is not UTF-8 becomes U+FFFD, so the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

/// `text` as a JSON string.
[[nodiscard]] std::string json_string(std::string_view text);

/// Any one JSON value without the white space between its parts. Numbers keep their digits, objects
/// their order and their duplicates; strings are escaped as `append_json_string` does. Fails with
/// `ec::invalid_json`, also for what is nested deeper than `max_json_depth`.
[[nodiscard]] caf::expected<std::string> compact_json(std::string_view text);

} // namespace herald
