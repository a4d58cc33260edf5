#include "http/service/reload.hpp"

#include <utility>

#include "http/config/config_file.hpp"
#include "http/config/settings.hpp"

namespace herald {

reload_outcome reload(config& running, const config& wanted) {
  reload_outcome outcome;
  auto next = running;
  // With all that has a value, so that what differs then is what only a file can say.
  auto rest = running;
  for (const auto& s : settings()) {
    if (s.file_only())
      continue;
    const auto value = value_of(wanted, s);
    if (value == value_of(running, s))
      continue;
    static_cast<void>(assign(rest, s, value));
    if (s.when == applies::live) {
      static_cast<void>(assign(next, s, value));
      outcome.changed.emplace_back(s.key);
    } else {
      outcome.needs_restart.emplace_back(s.key);
    }
  }
  // The file may have others while its name stays.
  if (next.webhook.keys != wanted.webhook.keys) {
    next.webhook.keys = wanted.webhook.keys;
    if (next.webhook.secret_file == running.webhook.secret_file)
      outcome.changed.emplace_back("webhook.secret_file");
  }
  // Of those that only a file can say, the one that is live.
  rest.api.keys = wanted.api.keys;
  if (running.api.keys != wanted.api.keys) {
    next.api.keys = wanted.api.keys;
    outcome.changed.emplace_back("api.keys");
  }
  if (print_config(rest) != print_config(wanted))
    for (const auto& s : settings())
      if (s.file_only() && s.when != applies::live)
        outcome.needs_restart.emplace_back(s.key);
  outcome.broken = validate(next);
  if (outcome.broken)
    outcome.changed.clear();
  else
    running = std::move(next);
  return outcome;
}

} // namespace herald
