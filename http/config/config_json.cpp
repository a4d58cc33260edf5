#include "http/config/config_json.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include <nlohmann/json.hpp>

namespace herald {

using json = nlohmann::ordered_json;

std::string dotted(std::string_view outer, std::string_view inner) {
  return std::string{outer}.append(".").append(inner);
}

std::string excerpt(const json& value) {
  constexpr std::size_t longest = 60;
  auto text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > longest)
    text = text.substr(0, longest) + "...";
  return text;
}

std::string must_be(const std::string& key, const std::string& rule, const json& value) {
  return key + " must be " + rule + ", not " + excerpt(value);
}

std::optional<setting_value> plain_value(const json& value) {
  if (value.is_boolean())
    return value.get<bool>();
  if (value.is_number_unsigned())
    return static_cast<std::int64_t>(std::min<std::uint64_t>(
      value.get<std::uint64_t>(), std::numeric_limits<std::int64_t>::max()));
  if (value.is_number_integer())
    return value.get<std::int64_t>();
  if (value.is_number_float())
    return value.get<double>();
  if (value.is_string())
    return value.get<std::string>();
  if (!value.is_array())
    return std::nullopt;
  std::vector<std::string> items;
  for (const auto& item : value) {
    if (!item.is_string())
      return std::nullopt;
    items.push_back(item.get<std::string>());
  }
  return items;
}

complaint read_value(
  const setting_place& into, const std::string& key, const setting_rule& rule, const json& value) {
  const auto plain = plain_value(value);
  if (plain && put_value(into, key, rule, *plain))
    return std::nullopt;
  return must_be(key, requirement_of(into, rule), value);
}

} // namespace herald
