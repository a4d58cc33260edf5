#include "http/config/config_children.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/config/settings.hpp"
#include "http/config/spelling.hpp"

namespace herald {

namespace {

using json = nlohmann::ordered_json;

constexpr const char* children_key = "supervision.children";

const std::vector<std::string>& child_fields() {
  static const std::vector<std::string> names = {
    "restart",        "instances",     "shutdown_ms", "min_backoff_ms",
    "max_backoff_ms", "random_factor", "max_mailbox", "when_full"};
  return names;
}

constexpr std::array restart_types = {
  restart_type::permanent, restart_type::transient, restart_type::temporary};

constexpr std::pair<std::string_view, when_full> full_actions[] = {
  {"reject", when_full::reject}, {"drop_oldest", when_full::drop_oldest}};

std::string_view name_of(when_full action) {
  return action == when_full::reject ? "reject" : "drop_oldest";
}

std::string must_be(const std::string& key, const std::string& rule, const json& value) {
  return key + " must be " + rule + ", not " + excerpt(value);
}

template <class Number>
complaint read_number(
  Number& into, const json& value, const std::string& key, std::int64_t least, std::int64_t most) {
  const auto plain = plain_value(value).value_or(setting_value{false});
  const auto* number = std::get_if<std::int64_t>(&plain);
  if (number == nullptr || *number < least || *number > most)
    return must_be(
      key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most), value);
  into = static_cast<Number>(*number);
  return std::nullopt;
}

complaint read_time(
  std::chrono::milliseconds& into, const json& value, const std::string& key, std::int64_t least) {
  std::int64_t time = 0;
  if (auto wrong = read_number(time, value, key, least, 600'000))
    return wrong;
  into = std::chrono::milliseconds{time};
  return std::nullopt;
}

complaint read_restart(restart_type& into, const json& value, const std::string& key) {
  for (const auto type : restart_types)
    if (value.is_string() && value.get_ref<const std::string&>() == to_string(type)) {
      into = type;
      return std::nullopt;
    }
  return must_be(key, "one of permanent, transient, temporary", value);
}

complaint read_when_full(when_full& into, const json& value, const std::string& key) {
  for (const auto& [name, action] : full_actions)
    if (value.is_string() && value.get_ref<const std::string&>() == name) {
      into = action;
      return std::nullopt;
    }
  return must_be(key, "one of reject, drop_oldest", value);
}

complaint read_factor(double& into, const json& value, const std::string& key) {
  const double factor = value.is_number() ? value.get<double>() : -1;
  if (!(factor >= 0 && factor <= 1))
    return must_be(key, "a number from 0 to 1", value);
  into = factor;
  return std::nullopt;
}

complaint
read_instances(config& c, const child_kind& kind, const json& value, const std::string& key) {
  if (kind.instances_setting.empty())
    return key + " cannot be set: herald has one " + std::string{kind.name};
  const auto& same = *find_setting(kind.instances_setting);
  const auto plain = plain_value(value);
  if (plain && !assign(c, same, *plain))
    return std::nullopt;
  return must_be(key, same.requirement(), value);
}

complaint read_field(
  config& c, const child_kind& kind, const std::string& field, const json& value,
  const std::string& key) {
  auto& child = c.supervision.children.find(kind.name)->second;
  if (field == "restart")
    return read_restart(child.restart, value, key);
  if (field == "instances")
    return read_instances(c, kind, value, key);
  if (field == "shutdown_ms")
    return read_time(child.shutdown, value, key, 1);
  if (field == "min_backoff_ms")
    return read_time(child.min_backoff, value, key, 0);
  if (field == "max_backoff_ms")
    return read_time(child.max_backoff, value, key, 0);
  if (field == "random_factor")
    return read_factor(child.random_factor, value, key);
  if (field != "max_mailbox" && field != "when_full")
    return key + " is not a field of a child; the nearest is "
           + closest_spelling(field, child_fields());
  if (!kind.refuses)
    return key + " cannot be set: nothing that waits for a " + std::string{kind.name}
           + " may be refused";
  if (field == "when_full")
    return read_when_full(child.mailbox.action, value, key);
  return read_number(child.mailbox.max, value, key, 0, 100'000'000);
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
    const auto& child = c.supervision.children.find(kind.name)->second;
    auto& fields = all[std::string{kind.name}];
    fields["restart"] = to_string(child.restart);
    if (!kind.instances_setting.empty())
      fields["instances"] =
        std::get<std::int64_t>(value_of(c, *find_setting(kind.instances_setting)));
    fields["shutdown_ms"] = child.shutdown.count();
    fields["min_backoff_ms"] = child.min_backoff.count();
    fields["max_backoff_ms"] = child.max_backoff.count();
    fields["random_factor"] = child.random_factor;
    if (!kind.refuses)
      continue;
    fields["max_mailbox"] = child.mailbox.max;
    fields["when_full"] = name_of(child.mailbox.action);
  }
  return all;
}

complaint instances_conflict(const json& document) {
  const auto find = [&document](std::initializer_list<std::string_view> path) {
    const json* place = &document;
    for (const auto step : path) {
      const auto found = place->find(std::string{step});
      if (found == place->end())
        return static_cast<const json*>(nullptr);
      place = &*found;
    }
    return place;
  };
  for (const auto& kind : child_kinds()) {
    const auto same = kind.instances_setting;
    if (same.empty())
      continue;
    const auto dot = same.find('.');
    const auto* here = find({"supervision", "children", kind.name, "instances"});
    const auto* there = find({same.substr(0, dot), same.substr(dot + 1)});
    if (here != nullptr && there != nullptr && *here != *there)
      return dotted(dotted(children_key, kind.name), "instances") + " and " + std::string{same}
             + " are one setting: give one of them, or both the same";
  }
  return std::nullopt;
}

} // namespace herald
