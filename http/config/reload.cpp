#include "http/config/reload.hpp"

#include <string_view>

#include "http/config/config_file.hpp"
#include "http/config/settings.hpp"

namespace herald {

namespace {

bool may_change(std::string_view key) {
  return key == "log.level";
}

} // namespace

reload_outcome reload(config& running, const config& wanted) {
  reload_outcome outcome;
  // With all that has a value, so that what differs then is what only a file can say.
  auto rest = running;
  for (const auto& s : settings()) {
    if (s.file_only())
      continue;
    const auto value = value_of(wanted, s);
    if (value == value_of(running, s))
      continue;
    static_cast<void>(assign(rest, s, value));
    if (may_change(s.key)) {
      static_cast<void>(assign(running, s, value));
      outcome.changed.emplace_back(s.key);
    } else {
      outcome.needs_restart.emplace_back(s.key);
    }
  }
  if (print_config(rest) != print_config(wanted))
    for (const auto& s : settings())
      if (s.file_only())
        outcome.needs_restart.emplace_back(s.key);
  return outcome;
}

} // namespace herald
