#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caf/error.hpp>

#include "messages/errors.hpp"
#include "messages/ids.hpp"

namespace herald {

enum class json_kind : std::uint8_t { null, boolean, number, string, array, object };

/// With its article, e.g. "an array".
[[nodiscard]] std::string_view to_string(json_kind kind);

/// A field of a JSON object.
struct json_member {
  std::string name;
  json_kind kind = json_kind::null;
  /// The characters of a string, unescaped; the compact JSON text of anything else.
  std::string text;
};

/// Takes a JSON object apart, strictly: a field that nobody asked for, comes twice, is missing or
/// has the wrong type is a failure that names it. json_objects.hpp makes readers.
///
///     return parse_object(body, [](json_reader& in) {
///       queue_version order;
///       order.id = in.id("request_id");
///       order.version = in.text("version");
///       order.changelog = in.nullable_text("changelog");
///       return order;
///     });
///
/// Getters give an empty value after a failure; `finish` tells. Ask for each field once: its value
/// is moved out. Names must outlive the reader, so write them as literals.
class json_reader {
public:
  /// `path` stands before the name of a field that is to blame, e.g. "[3].".
  explicit json_reader(std::vector<json_member> members, std::string path = {});

  // Required fields.
  std::string text(std::string_view name);
  double number(std::string_view name);
  /// A string that obeys `request_id_violation`.
  request_id id(std::string_view name);

  // Fields that may be absent. A null is no absence: it has the wrong type.
  std::optional<std::string> optional_text(std::string_view name);
  std::optional<double> optional_number(std::string_view name);
  std::optional<bool> optional_boolean(std::string_view name);
  /// Any JSON value, as compact JSON text.
  std::optional<std::string> optional_json(std::string_view name);
  /// A JSON object, as compact JSON text.
  std::optional<std::string> optional_object(std::string_view name);
  std::optional<request_id> optional_id(std::string_view name);
  /// An array of 1 to `most` strings, or of none where it may be empty. One that is something else
  /// is to blame as `name[2]`.
  std::optional<std::vector<std::string>>
  optional_texts(std::string_view name, std::size_t most, bool may_be_empty = false);
  /// A string, or an array of up to `most`.
  std::optional<std::vector<std::string>>
  optional_text_or_texts(std::string_view name, std::size_t most);
  /// A string, or an array of 1 to `most`, that obey `request_id_violation`.
  std::optional<std::vector<request_id>> optional_ids(std::string_view name, std::size_t most);
  /// A string; null means absent.
  std::optional<std::string> nullable_text(std::string_view name);

  /// All fields that are strings, with their names, in their order. The others count as known.
  std::vector<std::pair<std::string, std::string>> all_texts();

  /// Notes a failure where any field comes twice, also one that is not asked for.
  void refuse_duplicates();
  /// Notes a failure that a rule of the caller has found; `name` may be empty for the whole object.
  void blame(ec code, std::string detail, std::string_view name);
  /// Notes a failure that another reader has found.
  void blame(const caf::error& error);

  /// The first failure, or no error. Fields that were not asked for are refused, before anything
  /// else: a mistyped name explains a missing field.
  [[nodiscard]] caf::error finish();
  /// `finish` for a protocol whose unknown fields must be ignored.
  [[nodiscard]] caf::error finish_leniently();

private:
  json_member* find(std::string_view name);
  json_member* require(std::string_view name);
  // The value of a member. No member gives nothing; a wrong kind gives nothing, too, and is noted.
  std::optional<std::string> text_of(json_member* member, json_kind wanted);
  std::optional<double> number_of(json_member* member);
  std::optional<request_id> id_of(json_member* member);
  std::optional<std::vector<std::string>> texts_of(json_member* member, std::size_t most);
  [[nodiscard]] std::string path_to(std::string_view name) const;

  std::vector<json_member> members_;
  std::string path_;
  std::vector<std::string_view> known_;
  std::optional<failure> failure_;
};

} // namespace herald
