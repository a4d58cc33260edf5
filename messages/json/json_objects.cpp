#include "messages/json/json_objects.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "messages/json/json_scan.hpp"

namespace herald {

namespace {

using json_scan::error_code;
using json_scan::part;

/// Cuts objects into fields while they are parsed. Strings are kept unescaped; any other value is
/// written as compact text, whatever is in it.
struct object_cutter : json_scan::compact_writer<object_cutter> {
  using writer = json_scan::compact_writer<object_cutter>;

  object_cutter(const object_visitor& visitor, std::size_t max_objects)
    : visit(visitor),
      max_count(max_objects) {}

  /// Prepares for another text.
  void begin_line(std::size_t index) {
    count = index;
    depth = 0;
    line = true;
    refused = {};
  }

  bool on_object_begin(error_code& error) {
    if (object_depth == 0)
      return begin_object(error);
    begin_value(json_kind::object, error);
    ++depth;
    return writer::on_object_begin(error);
  }

  bool on_object_end(std::size_t size, error_code& error) {
    if (depth-- != object_depth)
      return writer::on_object_end(size, error);
    object_depth = 0;
    return finish_object(error);
  }

  bool on_array_begin(error_code& error) {
    if (depth == 0 && arrays && !line) {
      shape = json_shape::array;
      ++depth;
      return true;
    }
    if (!begin_value(json_kind::array, error))
      return false;
    ++depth;
    return writer::on_array_begin(error);
  }

  bool on_array_end(std::size_t size, error_code& error) {
    --depth;
    return object_depth == 0 || writer::on_array_end(size, error);
  }

  bool on_key_part(part text, std::size_t size, error_code& error) {
    if (in_value())
      return writer::on_key_part(text, size, error);
    name.append(text.data(), text.size());
    return true;
  }

  bool on_key(part text, std::size_t size, error_code& error) {
    if (in_value())
      return writer::on_key(text, size, error);
    name.append(text.data(), text.size());
    return begin_field(error);
  }

  bool on_string_part(part text, std::size_t size, error_code& error) {
    if (in_value())
      return writer::on_string_part(text, size, error);
    if (!begin_value(json_kind::string, error))
      return false;
    field->text.append(text.data(), text.size());
    return true;
  }

  bool on_string(part text, std::size_t size, error_code& error) {
    return in_value() ? writer::on_string(text, size, error) : on_string_part(text, size, error);
  }

  bool on_number_part(part text, error_code& error) {
    return begin_value(json_kind::number, error) && writer::on_number_part(text, error);
  }

  bool on_number(part text, error_code& error) {
    return begin_value(json_kind::number, error) && writer::on_number(text, error);
  }

  bool on_literal(std::string_view text, error_code& error) {
    const auto kind = text == "null" ? json_kind::null : json_kind::boolean;
    return begin_value(kind, error) && writer::on_literal(text, error);
  }

  /// Inside of a field's array or object.
  [[nodiscard]] bool in_value() const { return object_depth != 0 && depth > object_depth; }

  bool begin_object(error_code& error) {
    if (count == max_count)
      return refuse(
        error,
        fail(ec::invalid_field, "more than " + std::to_string(max_count) + " objects in one body"));
    object_depth = ++depth;
    members.clear();
    return true;
  }

  bool finish_object(error_code& error) {
    json_reader in{std::move(members), path(true)};
    members.clear();
    if (auto why = visit(in, count++))
      return refuse(error, std::move(why));
    return true;
  }

  /// Finds the place of the field whose name has been read.
  bool begin_field(error_code& error) {
    if (known != nullptr) {
      field = known_field();
    } else {
      if (members.size() == max_fields)
        return refuse(
          error, fail(
                   ec::invalid_field, "has more than " + std::to_string(max_fields) + " fields",
                   path(false)));
      field = &members.emplace_back();
    }
    field->name = std::exchange(name, {});
    field->text.clear();
    begin(field->text);
    return true;
  }

  json_member* known_field() {
    if (std::find(known->begin(), known->end(), name) == known->end())
      return &ignored;
    const auto former = std::find_if(
      members.begin(), members.end(), [&](const json_member& m) { return m.name == name; });
    return former == members.end() ? &members.emplace_back() : &*former;
  }

  /// Notes the kind of a field's value; refuses a value that is in no object.
  bool begin_value(json_kind kind, error_code& error) {
    if (object_depth == 0)
      return refuse_kind(error, kind);
    if (depth == object_depth)
      field->kind = kind;
    return true;
  }

  [[nodiscard]] std::string path(bool with_dot) const {
    if (shape == json_shape::object && !line)
      return {};
    return "[" + std::to_string(count) + (with_dot ? "]." : "]");
  }

  /// Stops the parser.
  bool refuse(error_code& error, caf::error why) {
    refused = std::move(why);
    error = boost::json::error::exception;
    return false;
  }

  bool refuse_kind(error_code& error, json_kind kind) {
    return refuse(
      error,
      fail(
        ec::invalid_field,
        (path(false).empty() ? "the body must be an object" : "must be an object")
          + std::string(arrays && !line && depth == 0 ? " or an array of objects, not " : ", not ")
          + std::string(to_string(kind)),
        path(false)));
  }

  const object_visitor& visit;
  std::size_t max_count;
  std::size_t max_fields = max_json_fields;
  /// The only fields to keep; null: all of them.
  const std::initializer_list<std::string_view>* known = nullptr;
  /// Objects read; the index of the one at hand.
  std::size_t count = 0;
  bool arrays = true;
  bool line = false;
  json_shape shape = json_shape::object;
  std::size_t depth = 0;
  /// The depth of the object's fields, 0 outside of an object.
  std::size_t object_depth = 0;
  std::string name;
  std::vector<json_member> members;
  /// Where the value that is being read goes: one of `members`, or `ignored`.
  json_member* field = nullptr;
  json_member ignored;
};

using cutting_parser = boost::json::basic_parser<object_cutter>;

caf::expected<json_reader> read_one(
  std::string_view text, const std::initializer_list<std::string_view>* known,
  std::size_t max_fields = max_json_fields) {
  std::optional<json_reader> result;
  const object_visitor keep = [&](json_reader& in, std::size_t) {
    result.emplace(std::move(in));
    return caf::error{};
  };
  cutting_parser parser{json_scan::options(), keep, 1};
  parser.handler().arrays = false;
  parser.handler().known = known;
  parser.handler().max_fields = max_fields;
  if (auto error = json_scan::run(parser, text))
    return error;
  return std::move(*result);
}

} // namespace

caf::expected<json_reader> read_object(std::string_view text, std::size_t max_fields) {
  return read_one(text, nullptr, max_fields);
}

caf::expected<json_reader>
read_object_leniently(std::string_view text, std::initializer_list<std::string_view> known) {
  return read_one(text, &known);
}

caf::expected<json_shape>
read_objects(std::string_view text, std::size_t max_objects, const object_visitor& visit) {
  cutting_parser parser{json_scan::options(), visit, max_objects};
  if (auto error = json_scan::run(parser, text))
    return error;
  return parser.handler().shape;
}

caf::error
read_object_lines(std::string_view text, std::size_t max_objects, const object_visitor& visit) {
  cutting_parser parser{json_scan::options(), visit, max_objects};
  std::size_t index = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    parser.handler().begin_line(index++);
    if (auto error = json_scan::run(parser, line)) {
      auto why = describe(error);
      if (why.field.empty())
        why.field = "[" + std::to_string(index - 1) + "]";
      return fail(why.code, why.detail, why.field);
    }
  }
  return {};
}

} // namespace herald
