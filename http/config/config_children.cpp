#include "http/config/config_children.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/config/settings.hpp"
#include "messages/text/spelling.hpp"

namespace herald {

namespace {

using json = nlohmann::ordered_json;

constexpr const char* children_key = "supervision.children";

/// A row of the table of fields.
struct child_field {
  std::string_view name;
  /// Null for `instances`, which is another setting.
  setting_place (*member)(child_options& c);
  setting_rule rule;
  /// Only where some of what waits may be refused.
  bool of_mailbox = false;
};

template <auto Member>
setting_place child_place(child_options& c) {
  return &(c.*Member);
}

template <auto Member>
setting_place mailbox_place(child_options& c) {
  return &(c.mailbox.*Member);
}

constexpr number_range delay_ms = {0, 600'000};

constexpr std::array child_fields = {
  child_field{"restart", child_place<&child_options::restart>, {}},
  child_field{"instances", nullptr, {}},
  child_field{"shutdown_ms", child_place<&child_options::shutdown_ms>, number_range{1, 600'000}},
  child_field{"min_backoff_ms", child_place<&child_options::min_backoff_ms>, delay_ms},
  child_field{"max_backoff_ms", child_place<&child_options::max_backoff_ms>, delay_ms},
  child_field{"random_factor", child_place<&child_options::random_factor>, {}},
  child_field{
    "max_mailbox", mailbox_place<&mailbox_limit::max>, number_range{0, 100'000'000}, true},
  child_field{"when_full", mailbox_place<&mailbox_limit::action>, {}, true},
};

complaint no_such_field(const std::string& field, const std::string& key) {
  std::vector<std::string> names;
  names.reserve(child_fields.size());
  for (const auto& known : child_fields)
    names.emplace_back(known.name);
  return key + " is not a field of a child; the nearest is " + closest_spelling(field, names);
}

complaint
read_instances(config& c, const child_kind& kind, const json& value, const std::string& key) {
  if (kind.instances_setting.empty())
    return key + " cannot be set: herald has one " + std::string{kind.name};
  const auto& same = *find_setting(kind.instances_setting);
  return read_value(same.member(c), key, same.rule, value);
}

complaint read_field(
  config& c, const child_kind& kind, const std::string& field, const json& value,
  const std::string& key) {
  const auto* const known = std::find_if(
    child_fields.begin(), child_fields.end(), [&](const auto& f) { return f.name == field; });
  if (known == child_fields.end())
    return no_such_field(field, key);
  if (known->member == nullptr)
    return read_instances(c, kind, value, key);
  if (known->of_mailbox && !kind.refuses)
    return key + " cannot be set: nothing that waits for a " + std::string{kind.name}
           + " may be refused";
  auto& child = c.supervision.children.find(kind.name)->second;
  return read_value(known->member(child), key, known->rule, value);
}

} // namespace

complaint read_children(config& c, const json& value) {
  if (!value.is_object())
    return must_be(children_key, "an object of children", value);
  for (const auto& [name, fields] : value.items()) {
    const auto key = dotted(children_key, name);
    const auto* kind = find_child_kind(name);
    if (kind == nullptr) {
      std::vector<std::string> names;
      for (const auto& known : child_kinds())
        names.emplace_back(known.name);
      return key + " is not an actor of herald; the nearest is " + closest_spelling(name, names);
    }
    if (!fields.is_object())
      return must_be(key, "an object of fields", fields);
    for (const auto& [field, given] : fields.items())
      if (auto wrong = read_field(c, *kind, field, given, dotted(key, field)))
        return wrong;
  }
  return std::nullopt;
}

json children_json(const config& c) {
  auto all = json::object();
  for (const auto& kind : child_kinds()) {
    // A copy: places are there to be written to.
    auto child = c.supervision.children.find(kind.name)->second;
    auto& fields = all[std::string{kind.name}];
    const auto show = [&](std::string_view name, const setting_value& value) {
      std::visit([&](const auto& plain) { fields[std::string{name}] = plain; }, value);
    };
    for (const auto& field : child_fields)
      if (field.member == nullptr && !kind.instances_setting.empty())
        show(field.name, value_of(c, *find_setting(kind.instances_setting)));
      else if (field.member != nullptr && (!field.of_mailbox || kind.refuses))
        show(field.name, value_at(field.member(child), field.name));
  }
  return all;
}

complaint instances_conflict(const json& document) {
  const auto find = [&document](std::string key) {
    std::replace(key.begin(), key.end(), '.', '/');
    const json::json_pointer place{"/" + key};
    return document.contains(place) ? &document.at(place) : nullptr;
  };
  for (const auto& kind : child_kinds()) {
    const std::string same{kind.instances_setting};
    const auto key = dotted(dotted(children_key, kind.name), "instances");
    const auto* here = find(key);
    const auto* there = find(same);
    if (!same.empty() && here != nullptr && there != nullptr && *here != *there)
      return std::string{key}.append(" and ").append(same).append(
        " are one setting: give one of them, or both the same");
  }
  return std::nullopt;
}

} // namespace herald
