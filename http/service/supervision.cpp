#include "http/service/supervision.hpp"

#include <chrono>
#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include "actors/supervision/supervisor.hpp"
#include "http/server/ask.hpp"

namespace herald {

supervision::supervision(
  caf::actor_system& system, const config& settings, metrics& numbers,
  std::function<void()> give_up)
  : system_(system),
    numbers_(numbers),
    options_(settings.supervision),
    supervisor_(spawn_supervisor(
      system, options_, [give_up = std::move(give_up)](const std::string&) { give_up(); },
      numbers)) {}

supervision::~supervision() {
  (void)end_actors();
}

shell_options supervision::child(const char* kind) const {
  return {kind, supervisor_, &numbers_, options_.of(kind).mailbox};
}

std::vector<std::string> supervision::end_actors() {
  const auto supervisor = std::exchange(supervisor_, {});
  if (!supervisor)
    return {};
  std::chrono::milliseconds time = std::chrono::seconds{1};
  for (const auto& [_, child] : options_.children)
    time += child.shutdown_ms;
  auto report = ask<stop_report>(system_, supervisor, stop_children{}, time);
  caf::anon_send_exit(supervisor, caf::exit_reason::user_shutdown);
  if (!report)
    return {"supervisor"};
  return std::move(report->left_behind);
}

} // namespace herald
