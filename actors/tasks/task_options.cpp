#include "actors/tasks/task_options.hpp"

#include <algorithm>

#include "messages/tasks.hpp"

namespace herald {

std::vector<std::string> task_types(const task_settings& options) {
  std::vector<std::string> types{builtin_task_types.begin(), builtin_task_types.end()};
  for (const auto& [name, command] : options.commands)
    types.push_back(name);
  std::sort(types.begin(), types.end());
  return types;
}

} // namespace herald
