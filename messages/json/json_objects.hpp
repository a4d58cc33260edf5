#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include "messages/json/json_reader.hpp"

/// From a text to the readers of its objects. Values of fields are checked, and compacted, while
/// they are passed: nothing is built that is deeper than one object.
namespace herald {

/// Most fields of one object, unless its reader takes more; beyond, they are refused.
inline constexpr std::size_t max_json_fields = 64;

/// Reads a JSON object. `ec::invalid_json`, or `ec::invalid_field` for any other JSON value.
[[nodiscard]] caf::expected<json_reader>
read_object(std::string_view text, std::size_t max_fields = max_json_fields);

/// `read_object` for a protocol that ignores what it does not know: fields of other names than
/// `known` are passed over, however many there are. Of a field that comes twice the last counts.
[[nodiscard]] caf::expected<json_reader>
read_object_leniently(std::string_view text, std::initializer_list<std::string_view> known);

/// A whole text as the value that `read` makes of its fields, all of them; or what is wrong.
template <class Read>
auto parse_object(std::string_view text, Read read)
  -> caf::expected<decltype(read(std::declval<json_reader&>()))> {
  auto in = read_object(text);
  if (!in)
    return in.error();
  auto value = read(*in);
  if (auto error = in->finish())
    return error;
  return value;
}

/// Called with each object and its index; an error ends the reading.
using object_visitor = std::function<caf::error(json_reader& in, std::size_t index)>;

enum class json_shape : std::uint8_t { object, array };

/// Reads one JSON object, or an array of up to `max_objects`, without keeping more than one of them
/// in memory. Tells which it was. The visitor has seen some objects already when an error comes.
[[nodiscard]] caf::expected<json_shape>
read_objects(std::string_view text, std::size_t max_objects, const object_visitor& visit);

/// Reads one object on each line (NDJSON), likewise. Empty lines are skipped and have no index.
[[nodiscard]] caf::error
read_object_lines(std::string_view text, std::size_t max_objects, const object_visitor& visit);

} // namespace herald
