#include "messages/json/json_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "messages/json/json_scan.hpp"

namespace herald {

namespace {

std::string_view name_of(json_kind kind) {
  constexpr std::array<std::string_view, 6> names = {"null",     "a boolean", "a number",
                                                     "a string", "an array",  "an object"};
  return names.at(static_cast<std::size_t>(kind));
}

} // namespace

json_reader::json_reader(std::vector<json_member> members, std::string path)
  : members_(std::move(members)),
    path_(std::move(path)) {
  known_.reserve(8);
}

bool json_reader::has(std::string_view name) const {
  return std::any_of(
    members_.begin(), members_.end(), [&](const json_member& m) { return m.name == name; });
}

json_member* json_reader::find(std::string_view name) {
  known_.push_back(name);
  json_member* found = nullptr;
  for (auto& member : members_) {
    if (member.name != name)
      continue;
    if (found != nullptr) {
      blame(ec::invalid_field, "is given twice", name);
      return nullptr;
    }
    found = &member;
  }
  return found;
}

json_member* json_reader::require(std::string_view name) {
  auto* found = find(name);
  if (found == nullptr)
    blame(ec::invalid_field, "is required", name);
  return found;
}

bool json_reader::is(json_member& member, json_kind wanted) {
  if (member.kind == wanted)
    return true;
  blame(
    ec::invalid_field,
    "must be " + std::string(name_of(wanted)) + ", not " + std::string(name_of(member.kind)),
    member.name);
  return false;
}

std::optional<std::string> json_reader::take(json_member* member, json_kind wanted) {
  if (member == nullptr || !is(*member, wanted))
    return std::nullopt;
  return std::move(member->text);
}

std::optional<double> json_reader::take_number(json_member* member) {
  if (member == nullptr || !is(*member, json_kind::number))
    return std::nullopt;
  const auto& text = member->text;
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    blame(ec::invalid_field, "is out of range", member->name);
    return std::nullopt;
  }
  return value;
}

std::string json_reader::text(std::string_view name) {
  return take(require(name), json_kind::string).value_or(std::string{});
}

double json_reader::number(std::string_view name) {
  return take_number(require(name)).value_or(0);
}

std::string json_reader::json(std::string_view name) {
  auto* member = require(name);
  if (member == nullptr)
    return {};
  return member->kind == json_kind::string ? json_string(member->text) : std::move(member->text);
}

request_id json_reader::id(std::string_view name) {
  auto* member = require(name);
  auto text = take(member, json_kind::string);
  if (!text)
    return {};
  if (const auto violation = request_id_violation(*text)) {
    blame(ec::invalid_field, std::string(*violation), name);
    return {};
  }
  return request_id{std::move(*text)};
}

json_reader json_reader::object(std::string_view name) {
  std::vector<json_member> members;
  if (auto text = take(require(name), json_kind::object)) {
    auto inner = read_object(*text);
    if (inner)
      members = std::move(inner->members_);
    else
      blame(describe(inner.error()).code, describe(inner.error()).detail, name);
  }
  return json_reader{std::move(members), path_to(name) + "."};
}

std::optional<std::string> json_reader::optional_text(std::string_view name) {
  return take(find(name), json_kind::string);
}

std::optional<double> json_reader::optional_number(std::string_view name) {
  return take_number(find(name));
}

std::optional<bool> json_reader::optional_boolean(std::string_view name) {
  const auto text = take(find(name), json_kind::boolean);
  if (!text)
    return std::nullopt;
  return *text == "true";
}

std::optional<std::string> json_reader::optional_json(std::string_view name) {
  if (has(name))
    return json(name);
  known_.push_back(name);
  return std::nullopt;
}

std::optional<std::string> json_reader::optional_object(std::string_view name) {
  return take(find(name), json_kind::object);
}

std::optional<request_id> json_reader::optional_id(std::string_view name) {
  if (has(name))
    return id(name);
  known_.push_back(name);
  return std::nullopt;
}

std::optional<std::string> json_reader::nullable_text(std::string_view name) {
  auto* member = find(name);
  if (member != nullptr && member->kind == json_kind::null)
    return std::nullopt;
  return take(member, json_kind::string);
}

void json_reader::blame(ec code, std::string detail, std::string_view name) {
  if (!failure_)
    failure_ = failure{code, std::move(detail), path_to(name)};
}

caf::error json_reader::finish() {
  for (const auto& member : members_) {
    if (std::find(known_.begin(), known_.end(), member.name) != known_.end())
      continue;
    std::string detail = "is not known here; known are:";
    for (const auto name : known_)
      detail.append(detail.back() == ':' ? " " : ", ").append(name);
    return fail(ec::unknown_field, std::move(detail), path_to(member.name));
  }
  return finish_leniently();
}

caf::error json_reader::finish_leniently() {
  if (!failure_)
    return {};
  return fail(failure_->code, failure_->detail, failure_->field);
}

std::string json_reader::path_to(std::string_view name) const {
  // The whole of "[3]." is "[3]".
  if (name.empty() && !path_.empty())
    return path_.substr(0, path_.size() - 1);
  return path_ + std::string(name);
}

namespace {

/// Cuts objects into fields while they are parsed: a value of a field is written as compact text,
/// whatever is in it.
struct object_cutter : json_scan::handler_base {
  using error_code = json_scan::error_code;
  using part = json_scan::part;

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
    if (in_value()) {
      writer.open('{');
    } else if (object_depth != 0) {
      begin_value(json_kind::object);
      writer.open('{');
    } else {
      object_depth = depth + 1;
      members.clear();
      if (count == max_count)
        return refuse(
          error,
          fail(
            ec::invalid_field, "more than " + std::to_string(max_count) + " objects in one body"));
    }
    ++depth;
    return true;
  }

  bool on_object_end(std::size_t, error_code& error) {
    --depth;
    if (in_value() || depth == object_depth)
      return writer.close('}'), true;
    object_depth = 0;
    return finish_object(error);
  }

  bool on_array_begin(error_code& error) {
    if (object_depth != 0) {
      if (!in_value())
        begin_value(json_kind::array);
      writer.open('[');
    } else if (depth == 0 && arrays && !line) {
      shape = json_shape::array;
    } else {
      return refuse_kind(error, json_kind::array);
    }
    ++depth;
    return true;
  }

  bool on_array_end(std::size_t, error_code&) {
    --depth;
    if (object_depth != 0)
      writer.close(']');
    return true;
  }

  bool on_key_part(part text, std::size_t, error_code&) {
    if (in_value())
      writer.string_part(text);
    else
      name.append(text.data(), text.size());
    return true;
  }

  bool on_key(part text, std::size_t, error_code& error) {
    if (in_value())
      return writer.key_end(text), true;
    if (members.size() == max_json_fields)
      return refuse(
        error, fail(
                 ec::invalid_field, "has more than " + std::to_string(max_json_fields) + " fields",
                 path(false)));
    name.append(text.data(), text.size());
    members.push_back({std::exchange(name, {}), json_kind::null, {}});
    return true;
  }

  bool on_string_part(part text, std::size_t, error_code& error) {
    if (object_depth == 0)
      return refuse_kind(error, json_kind::string);
    if (in_value())
      writer.string_part(text);
    else
      members.back().text.append(text.data(), text.size());
    return true;
  }

  bool on_string(part text, std::size_t, error_code& error) {
    if (object_depth == 0)
      return refuse_kind(error, json_kind::string);
    if (in_value())
      return writer.string_end(text), true;
    members.back().kind = json_kind::string;
    members.back().text.append(text.data(), text.size());
    return true;
  }

  bool on_number_part(part text, error_code& error) {
    if (object_depth == 0)
      return refuse_kind(error, json_kind::number);
    if (in_value())
      writer.number_part(text);
    else
      members.back().text.append(text.data(), text.size());
    return true;
  }

  bool on_number(part text, error_code& error) {
    if (object_depth == 0)
      return refuse_kind(error, json_kind::number);
    if (in_value())
      return writer.number_end(text), true;
    members.back().kind = json_kind::number;
    members.back().text.append(text.data(), text.size());
    return true;
  }
  bool on_int64(std::int64_t, part text, error_code& error) { return on_number(text, error); }
  bool on_uint64(std::uint64_t, part text, error_code& error) { return on_number(text, error); }
  bool on_double(double, part text, error_code& error) { return on_number(text, error); }

  bool on_bool(bool value, error_code& error) {
    return on_literal(value ? "true" : "false", json_kind::boolean, error);
  }
  bool on_null(error_code& error) { return on_literal("null", json_kind::null, error); }

  bool on_literal(std::string_view text, json_kind kind, error_code& error) {
    if (object_depth == 0)
      return refuse_kind(error, kind);
    if (in_value())
      return writer.literal(text), true;
    members.back().kind = kind;
    members.back().text = text;
    return true;
  }

  /// Inside of a field's array or object.
  [[nodiscard]] bool in_value() const { return object_depth != 0 && depth > object_depth; }

  void begin_value(json_kind kind) {
    members.back().kind = kind;
    writer.begin(members.back().text);
  }

  [[nodiscard]] std::string path(bool with_dot) const {
    if (shape == json_shape::object && !line)
      return {};
    return "[" + std::to_string(count) + (with_dot ? "]." : "]");
  }

  bool finish_object(error_code& error) {
    json_reader in{std::move(members), path(true)};
    members.clear();
    if (auto why = visit(in, count++))
      return refuse(error, std::move(why));
    return true;
  }

  bool refuse(error_code& error, caf::error why) {
    refused = std::move(why);
    return json_scan::stop(error);
  }

  bool refuse_kind(error_code& error, json_kind kind) {
    return refuse(
      error,
      fail(
        ec::invalid_field,
        (path(false).empty() ? "the body must be an object" : "must be an object")
          + std::string(arrays && !line && depth == 0 ? " or an array of objects, not " : ", not ")
          + std::string(name_of(kind)),
        path(false)));
  }

  const object_visitor& visit;
  std::size_t max_count;
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
  json_scan::compact_writer writer;
  caf::error refused;
};

using cutting_parser = boost::json::basic_parser<object_cutter>;

} // namespace

caf::expected<json_reader> read_object(std::string_view text) {
  std::optional<json_reader> result;
  const object_visitor keep = [&](json_reader& in, std::size_t) {
    result.emplace(std::move(in));
    return caf::error{};
  };
  cutting_parser parser{json_scan::options(), keep, 1};
  parser.handler().arrays = false;
  if (auto error = json_scan::run(parser, text))
    return error;
  return std::move(*result);
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
