#include "messages/backend.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "messages/text/ascii.hpp"

namespace herald {

namespace {

/// A JSON string; bytes that are not UTF-8, as headers may hold, become U+FFFD.
std::string json_quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

struct header_values {
  std::string name;
  std::vector<std::string_view> values;
};

std::vector<header_values> grouped(const header_list& headers) {
  std::vector<header_values> groups;
  for (const auto& [name, value] : headers) {
    auto key = ascii_lower(name);
    auto place = std::find_if(
      groups.begin(), groups.end(), [&](const header_values& g) { return g.name == key; });
    if (place == groups.end())
      place = groups.insert(place, header_values{std::move(key), {}});
    place->values.push_back(value);
  }
  return groups;
}

std::string array_of(const std::vector<std::string_view>& values) {
  std::string text = "[";
  for (const auto value : values) {
    if (text.size() > 1)
      text += ',';
    text += json_quoted(value);
  }
  return text += ']';
}

} // namespace

std::string_view to_string(callback_action action) {
  return action == callback_action::connect ? "connect" : "disconnect";
}

std::string render_callback_request(std::string_view url, const header_list& headers) {
  std::string text = R"({"url":)";
  text.append(json_quoted(url)).append(R"(,"headers":{)");
  bool first = true;
  for (const auto& [name, values] : grouped(headers)) {
    if (!first)
      text += ',';
    first = false;
    text.append(json_quoted(name)) += ':';
    text += values.size() == 1 ? json_quoted(values.front()) : array_of(values);
  }
  return text += "}}";
}

std::string render_callback(const call_backend& call) {
  std::string body = R"({"action":")";
  body.append(to_string(call.action));
  if (call.action == callback_action::disconnect)
    body.append(R"(","reason":")").append(to_string(call.reason));
  body.append(R"(","token":)").append(json_quoted(call.stream.str()));
  body.append(R"(,"request":)").append(call.request ? *call.request : "{}") += '}';
  return body;
}

} // namespace herald
