#include "http/server/request_arguments.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "http/protocol/url.hpp"
#include "messages/text/utf8.hpp"

namespace herald {

namespace {

/// No name that somebody means is longer.
constexpr std::size_t longest_name_shown = 128;

std::string not_known(const route_input& takes) {
  if (takes.parameters.empty())
    return "is not known here; this path takes no parameters";
  std::string detail = "is not known here; known are:";
  for (const auto& name : takes.parameters)
    detail.append(detail.back() == ':' ? " " : ", ").append(name);
  return detail;
}

} // namespace

std::optional<failure> query_violation(std::string_view query, const route_input& takes) {
  if (takes.foreign)
    return std::nullopt;
  std::set<std::string> seen;
  for (auto& [name, value] : query_arguments(query)) {
    const auto& known = takes.parameters;
    if (std::find(known.begin(), known.end(), name) == known.end())
      return failure{ec::unknown_field, not_known(takes), utf8_front(name, longest_name_shown)};
    if (!seen.insert(name).second && name != takes.repeatable)
      return failure{ec::invalid_field, "must not be given twice", name};
  }
  return std::nullopt;
}

caf::expected<page_request> page_arguments(const api_request& request) {
  const auto limit = number_argument(request, "limit", 1, max_page_limit);
  if (!limit)
    return limit.error();
  const auto after = number_argument(request, "after");
  if (!after)
    return after.error();
  return page_request{
    after->value_or(0), static_cast<std::size_t>(limit->value_or(default_page_limit))};
}

caf::expected<std::optional<std::uint64_t>>
number_argument(const api_request& request, const std::string& name) {
  const auto text = request.argument(name);
  if (!text)
    return std::optional<std::uint64_t>{};
  std::uint64_t value = 0;
  const auto* end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc{} || rest != end)
    return fail(ec::invalid_field, "must be a whole number", name);
  return std::optional{value};
}

caf::expected<std::optional<std::uint64_t>> number_argument(
  const api_request& request, const std::string& name, std::uint64_t least, std::uint64_t most) {
  auto value = number_argument(request, name);
  if (value && *value && (**value < least || **value > most))
    return fail(
      ec::invalid_field, "must be from " + std::to_string(least) + " to " + std::to_string(most),
      name);
  return value;
}

caf::expected<bool> switch_argument(const api_request& request, const std::string& name) {
  const auto text = request.argument(name).value_or("false");
  if (text == "true" || text == "1")
    return true;
  if (text == "false" || text == "0")
    return false;
  return fail(ec::invalid_field, "must be true or false", name);
}

caf::expected<request_id> request_id_argument(const api_request& request, std::size_t index) {
  const auto& text = request.path_arguments.at(index);
  if (const auto violation = request_id_violation(text))
    return fail(ec::invalid_field, std::string(*violation), "request_id");
  return request_id{text};
}

} // namespace herald
