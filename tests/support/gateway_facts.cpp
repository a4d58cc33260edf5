#include "tests/support/gateway_facts.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace herald::testing {

namespace {

using nlohmann::json;

bool holds(const json& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

/// The place of a field such as "event.data" in an order.
json::json_pointer place_of(std::string field) {
  std::replace(field.begin(), field.end(), '.', '/');
  return json::json_pointer{"/" + field};
}

} // namespace

const json& gateway_facts() {
  static const json facts =
    json::parse(std::ifstream{HERALD_SOURCE_DIR "/tests/support/gateway_facts.json"});
  return facts;
}

json shown_header(const std::string& name, const std::vector<std::string>& values) {
  const auto& rules = gateway_facts().at("headers");
  if (holds(rules.at("arrays"), name))
    return values;
  if (holds(rules.at("first_counts"), name))
    return values.at(0);
  const auto separator =
    rules.at("separators").value(name, rules.at("separator").get<std::string>());
  std::string joined = values.at(0);
  for (std::size_t i = 1; i < values.size(); ++i)
    joined += separator + values[i];
  return joined;
}

send_answer send_answer_of(std::string_view what) {
  const auto& answer = gateway_facts().at("send").at("answers").at(std::string{what});
  if (answer.contains("body"))
    return {answer.at("status"), answer.at("body")};
  return {
    answer.at("status"),
    {{"error", {{"message", answer.at("message")}, {"code", answer.at("code")}}}}};
}

int status_of_broken_order() {
  return gateway_facts().at("send").at("answers").at("broken_rule").at("status");
}

std::string send_code(std::string_view field) {
  for (const auto& rule : gateway_facts().at("send").at("rules"))
    if (rule.at("field") == field)
      return rule.at("code");
  throw std::out_of_range{"no rule of that field"};
}

std::vector<broken_order> broken_orders(const std::string& token) {
  const json whole = {
    {"token", token}, {"event", {{"name", "n"}, {"data", "d"}}}, {"close", false}};
  const json of_each_type = {"text", 1, -1, 1.5, true, nullptr, json::array(), json::object()};
  std::vector<broken_order> broken;
  for (const auto& rule : gateway_facts().at("send").at("rules")) {
    const auto place = place_of(rule.at("field"));
    const auto add = [&](json order) {
      broken.push_back({std::move(order), rule.at("code"), rule.at("message")});
    };
    for (const auto& value : of_each_type) {
      if (rule.at("type") == value.type_name())
        continue;
      auto order = whole;
      order[place] = value;
      add(std::move(order));
    }
    if (rule.value("required", false)) {
      auto order = whole;
      order[place.parent_pointer()].erase(place.back());
      add(std::move(order));
    }
    if (rule.value("not_empty", false)) {
      auto order = whole;
      order[place] = "";
      add(std::move(order));
    }
  }
  return broken;
}

} // namespace herald::testing
