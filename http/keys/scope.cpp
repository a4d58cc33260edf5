#include "http/keys/scope.hpp"

#include <array>

namespace herald {

namespace {

constexpr std::array<std::string_view, scope_count> names = {
  "events:publish",    "events:read",
  "versions:write",    "versions:read",
  "tasks:start",       "tasks:report",
  "tasks:read",        "connections:read",
  "connections:close", "connections:topics",
  "tickets:issue",     "tokens:revoke",
  "metrics:read",      "admin"};

} // namespace

std::string_view to_string(scope which) {
  return names.at(static_cast<std::size_t>(which));
}

std::optional<scope> parse_scope(std::string_view text) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == text)
      return static_cast<scope>(i);
  return std::nullopt;
}

std::vector<std::string> scope_names() {
  return {names.begin(), names.end()};
}

std::vector<std::string> scope_set::names() const {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < scope_count; ++i)
    if (bits_.test(i))
      list.emplace_back(to_string(static_cast<scope>(i)));
  return list;
}

} // namespace herald
