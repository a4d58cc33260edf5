#include "actors/task_options.hpp"

#include <algorithm>

namespace herald {

namespace {

std::optional<task_options_violation>
violation_of(const std::string& name, const command_type& command) {
  const auto setting = "commands." + name;
  if (name == demo_type || name == failing_type || name == external_type)
    return task_options_violation{setting, "must not be named like a built-in task type"};
  if (name.empty() || name.size() > 128)
    return task_options_violation{"commands", "must have names of 1 to 128 bytes"};
  if (command.argv.empty() || command.argv.front().empty())
    return task_options_violation{setting + ".argv", "must name a program"};
  if (command.timeout && command.timeout->count() < 0)
    return task_options_violation{setting + ".timeout_s", "must not be negative"};
  const auto has_zero = [](const std::string& text) {
    return text.find('\0') != std::string::npos;
  };
  if (std::any_of(command.argv.begin(), command.argv.end(), has_zero))
    return task_options_violation{setting + ".argv", "must not contain a NUL character"};
  for (const auto& [variable, value] : command.env)
    if (variable.empty() || variable.find('=') != std::string::npos || has_zero(variable + value))
      return task_options_violation{setting + ".env", "must have names without '=' and no NUL"};
  return std::nullopt;
}

} // namespace

std::optional<task_options_violation> validate(const task_options& options) {
  if (options.workers < 1 || options.workers > 1000)
    return task_options_violation{"workers", "must be from 1 to 1000"};
  if (options.max_ended < 1)
    return task_options_violation{"max_ended", "must be at least 1"};
  for (const auto& [name, command] : options.commands)
    if (auto violation = violation_of(name, command))
      return violation;
  return std::nullopt;
}

std::vector<std::string> task_types(const task_options& options) {
  std::vector<std::string> types = {demo_type, external_type, failing_type};
  for (const auto& [name, command] : options.commands)
    types.push_back(name);
  std::sort(types.begin(), types.end());
  return types;
}

} // namespace herald
