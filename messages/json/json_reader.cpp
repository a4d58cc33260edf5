#include "messages/json/json_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "messages/json/json_text.hpp"
#include "messages/json/json_texts.hpp"
#include "messages/text/utf8.hpp"

namespace herald {

namespace {

/// Longer names are cut where they are to blame: they are the sender's, and may be as long as the
/// body.
constexpr std::size_t max_shown_name = 128;

} // namespace

std::string_view to_string(json_kind kind) {
  constexpr std::array<std::string_view, 6> names = {"null",     "a boolean", "a number",
                                                     "a string", "an array",  "an object"};
  return names.at(static_cast<std::size_t>(kind));
}

json_reader::json_reader(std::vector<json_member> members, std::string path)
  : members_(std::move(members)),
    path_(std::move(path)) {
  known_.reserve(8);
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

std::optional<std::string> json_reader::text_of(json_member* member, json_kind wanted) {
  if (member == nullptr)
    return std::nullopt;
  if (member->kind == wanted)
    return std::move(member->text);
  const auto kinds =
    std::string(to_string(wanted)) + ", not " + std::string(to_string(member->kind));
  blame(ec::invalid_field, "must be " + kinds, member->name);
  return std::nullopt;
}

std::optional<double> json_reader::number_of(json_member* member) {
  const auto digits = text_of(member, json_kind::number);
  if (!digits)
    return std::nullopt;
  double value = 0;
  if (std::from_chars(digits->data(), digits->data() + digits->size(), value).ec != std::errc{}) {
    blame(ec::invalid_field, "is out of range", member->name);
    return std::nullopt;
  }
  return value;
}

std::optional<request_id> json_reader::id_of(json_member* member) {
  auto text = text_of(member, json_kind::string);
  if (!text)
    return std::nullopt;
  if (const auto violation = request_id_violation(*text)) {
    blame(ec::invalid_field, std::string(*violation), member->name);
    return std::nullopt;
  }
  return request_id{std::move(*text)};
}

std::optional<std::vector<std::string>>
json_reader::texts_of(json_member* member, std::size_t most) {
  const auto array = text_of(member, json_kind::array);
  if (!array)
    return std::nullopt;
  auto texts = read_texts(*array, most);
  if (texts)
    return std::move(*texts);
  auto why = describe(texts.error());
  blame(why.code, std::move(why.detail), member->name + why.field);
  return std::nullopt;
}

std::string json_reader::text(std::string_view name) {
  return text_of(require(name), json_kind::string).value_or(std::string{});
}

double json_reader::number(std::string_view name) {
  return number_of(require(name)).value_or(0);
}

request_id json_reader::id(std::string_view name) {
  return id_of(require(name)).value_or(request_id{});
}

std::optional<std::string> json_reader::optional_text(std::string_view name) {
  return text_of(find(name), json_kind::string);
}

std::optional<double> json_reader::optional_number(std::string_view name) {
  return number_of(find(name));
}

std::optional<bool> json_reader::optional_boolean(std::string_view name) {
  const auto text = text_of(find(name), json_kind::boolean);
  return text ? std::optional{*text == "true"} : std::nullopt;
}

std::optional<std::string> json_reader::optional_json(std::string_view name) {
  auto* member = find(name);
  if (member == nullptr)
    return std::nullopt;
  return member->kind == json_kind::string ? json_string(member->text) : std::move(member->text);
}

std::optional<std::string> json_reader::optional_object(std::string_view name) {
  return text_of(find(name), json_kind::object);
}

std::optional<request_id> json_reader::optional_id(std::string_view name) {
  return id_of(find(name));
}

std::optional<std::vector<std::string>>
json_reader::optional_texts(std::string_view name, std::size_t most, bool may_be_empty) {
  auto* member = find(name);
  if (may_be_empty && member != nullptr && member->kind == json_kind::array && member->text == "[]")
    return std::vector<std::string>{};
  return texts_of(member, most);
}

std::optional<std::vector<std::string>>
json_reader::optional_text_or_texts(std::string_view name, std::size_t most) {
  auto* member = find(name);
  if (member == nullptr)
    return std::nullopt;
  if (member->kind == json_kind::string)
    return std::vector{std::move(member->text)};
  if (member->kind == json_kind::array && member->text == "[]")
    return std::vector<std::string>{};
  return texts_of(member, most);
}

std::optional<std::vector<request_id>>
json_reader::optional_ids(std::string_view name, std::size_t most) {
  auto* member = find(name);
  if (member == nullptr)
    return std::nullopt;
  std::vector<request_id> ids;
  if (member->kind != json_kind::array) {
    if (auto id = id_of(member))
      ids.push_back(std::move(*id));
    return ids;
  }
  for (auto& text : texts_of(member, most).value_or(std::vector<std::string>{})) {
    if (const auto violation = request_id_violation(text))
      blame(
        ec::invalid_field, std::string(*violation),
        member->name + "[" + std::to_string(ids.size()) + "]");
    ids.emplace_back(std::move(text));
  }
  return ids;
}

std::optional<std::string> json_reader::nullable_text(std::string_view name) {
  auto* member = find(name);
  if (member != nullptr && member->kind == json_kind::null)
    return std::nullopt;
  return text_of(member, json_kind::string);
}

std::vector<std::pair<std::string, std::string>> json_reader::all_texts() {
  std::vector<std::pair<std::string, std::string>> texts;
  for (auto& member : std::exchange(members_, {}))
    if (member.kind == json_kind::string)
      texts.emplace_back(std::move(member.name), std::move(member.text));
  return texts;
}

void json_reader::refuse_duplicates() {
  std::vector<std::string_view> names;
  names.reserve(members_.size());
  for (const auto& member : members_)
    names.push_back(member.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    blame(ec::invalid_field, "is given twice", *twice);
}

void json_reader::blame(ec code, std::string detail, std::string_view name) {
  if (!failure_)
    failure_ = failure{code, std::move(detail), path_to(name)};
}

void json_reader::blame(const caf::error& error) {
  auto why = describe(error);
  blame(why.code, std::move(why.detail), why.field);
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
  if (name.size() <= max_shown_name)
    return path_ + std::string(name);
  return path_ + utf8_front(name, max_shown_name) + "..";
}

} // namespace herald
