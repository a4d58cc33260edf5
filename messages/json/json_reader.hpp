#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include "messages/errors.hpp"
#include "messages/ids.hpp"
#include "messages/json/json_text.hpp"

namespace herald {

enum class json_kind : std::uint8_t { null, boolean, number, string, array, object };

/// One field of a JSON object.
struct json_member {
  std::string name;
  json_kind kind = json_kind::null;
  /// The characters of a string, unescaped; the compact JSON text of anything else.
  std::string text;
};

/// Takes a JSON object apart, strictly: a field that nobody asked for, comes twice, is missing or
/// has the wrong type is a failure that names it.
///
///     auto in = read_object(body);
///     if (!in)
///       return in.error();
///     queue_version order;
///     order.id = in->id("request_id");
///     order.version = in->text("version");
///     order.changelog = in->nullable_text("changelog");
///     if (auto error = in->finish())
///       return error;
///
/// Getters give an empty value after a failure; `finish` tells. Ask for each field once: its value
/// is moved out. Names must outlive the reader, so write them as literals.
class json_reader {
public:
  /// `path` stands before the name of a field that is to blame, e.g. "[3].".
  explicit json_reader(std::vector<json_member> members, std::string path = {});

  [[nodiscard]] bool has(std::string_view name) const;

  // Required fields.
  std::string text(std::string_view name);
  double number(std::string_view name);
  /// Any JSON value, as compact JSON text.
  std::string json(std::string_view name);
  /// A string that obeys `request_id_violation`.
  request_id id(std::string_view name);
  /// A JSON object, to be read (and finished) by itself, after this reader has been finished.
  json_reader object(std::string_view name);

  // Fields that may be absent. A null is no absence: it has the wrong type.
  std::optional<std::string> optional_text(std::string_view name);
  std::optional<double> optional_number(std::string_view name);
  std::optional<bool> optional_boolean(std::string_view name);
  std::optional<std::string> optional_json(std::string_view name);
  /// A JSON object, as compact JSON text.
  std::optional<std::string> optional_object(std::string_view name);
  std::optional<request_id> optional_id(std::string_view name);
  /// A string; null means absent.
  std::optional<std::string> nullable_text(std::string_view name);

  /// Notes a failure that a rule of the caller has found; `name` may be empty for the whole object.
  void blame(ec code, std::string detail, std::string_view name);

  /// What is wrong, or no error. Fields that were not asked for are refused, before anything else:
  /// a mistyped name explains a missing field.
  [[nodiscard]] caf::error finish();
  /// The same for a protocol whose unknown fields must be ignored.
  [[nodiscard]] caf::error finish_leniently();

private:
  json_member* find(std::string_view name);
  json_member* require(std::string_view name);
  bool is(json_member& member, json_kind wanted);
  std::optional<std::string> take(json_member* member, json_kind wanted);
  std::optional<double> take_number(json_member* member);
  [[nodiscard]] std::string path_to(std::string_view name) const;

  std::vector<json_member> members_;
  std::string path_;
  std::vector<std::string_view> known_;
  std::optional<failure> failure_;
};

/// Most fields of one object that is read field by field; more are refused.
inline constexpr std::size_t max_json_fields = 64;

/// Reads a JSON object. `ec::invalid_json`, or `ec::invalid_field` for any other JSON value.
[[nodiscard]] caf::expected<json_reader> read_object(std::string_view text);

/// Called with each object and its index; an error ends the reading.
using object_visitor = std::function<caf::error(json_reader& in, std::size_t index)>;

enum class json_shape : std::uint8_t { object, array };

/// Reads one JSON object, or an array of up to `max_objects`, without keeping more than one of them
/// in memory. Tells which it was. The visitor has seen some objects already when an error comes.
[[nodiscard]] caf::expected<json_shape>
read_objects(std::string_view text, std::size_t max_objects, const object_visitor& visit);

/// The same for one object on each line (NDJSON). Empty lines are skipped and have no index.
[[nodiscard]] caf::error
read_object_lines(std::string_view text, std::size_t max_objects, const object_visitor& visit);

} // namespace herald
