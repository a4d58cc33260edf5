#include "http/service/service_parts.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/api/health_api.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"

namespace herald {

using json = nlohmann::ordered_json;

stream_options stream_options_of(const config& settings) {
  stream_options options{settings.stream};
  options.drain_retry_spread = settings.shutdown.retry_window_ms;
  return options;
}

std::chrono::milliseconds patience(shutdown_reason why) {
  return why == shutdown_reason::asked ? ask_deadline : std::chrono::seconds{1};
}

namespace {

std::vector<std::string> not_ready(
  caf::actor_system& system, const supervisor_actor& supervisor,
  const std::atomic<service_phase>& phase) {
  if (phase == service_phase::starting)
    return {"starting"};
  std::vector<std::string> names;
  if (phase == service_phase::shutting_down)
    names.emplace_back("shutting down");
  const auto tree = ask<actor_tree>(system, supervisor, get_actor_status{});
  if (!tree)
    names.emplace_back("supervisor");
  else
    for (const auto& child : tree->children)
      if (is_missed(child))
        names.push_back(child.name);
  return names;
}

json shown(const actor_status& actor) {
  return {
    {"name", actor.name},
    {"state", to_string(actor.state)},
    {"restart", to_string(actor.restart)},
    {"restarts", actor.restarts},
    {"mailbox_depth", actor.mailbox_depth},
    {"last_error", actor.last_error.empty() ? json{} : json(actor.last_error)}};
}

/// All instances of a kind as one: sums, the worst state, the last error of the last that has one.
actor_status together(std::span<const actor_status> instances) {
  auto all = instances.front();
  all.name = all.kind;
  for (const auto& one : instances.subspan(1)) {
    all.state = std::max(all.state, one.state);
    all.restarts += one.restarts;
    all.mailbox_depth += one.mailbox_depth;
    if (!one.last_error.empty())
      all.last_error = one.last_error;
  }
  return all;
}

json shown(const actor_tree& tree) {
  auto kinds = json::array();
  const std::span<const actor_status> children{tree.children};
  for (std::size_t i = 0; i < children.size();) {
    std::size_t count = 1;
    while (i + count < children.size() && children[i + count].kind == children[i].kind)
      ++count;
    const auto instances = children.subspan(i, count);
    auto& kind = kinds.emplace_back(shown(together(instances)));
    if (instances.front().max_mailbox != 0)
      kind["max_mailbox"] = instances.front().max_mailbox;
    kind["instances"] = count;
    // A kind of which there can be one only has one with its own name.
    if (instances.front().name != instances.front().kind)
      for (const auto& one : instances)
        kind["actors"].push_back(shown(one));
    i += count;
  }
  return {
    {"name", "supervisor"},
    {"strategy", "one_for_one"},
    {"intensity", tree.intensity},
    {"period_ms", tree.period.count()},
    {"actors", std::move(kinds)}};
}

} // namespace

void add_service_routes(
  router& routes, caf::actor_system& system, const supervisor_actor& supervisor,
  const std::atomic<service_phase>& phase, const metrics& numbers, const route_adder& more) {
  routes.add("GET", "/api/actors", [&system, supervisor](const api_request&) {
    const auto tree = ask<actor_tree>(system, supervisor, get_actor_status{});
    if (!tree)
      return problem(tree.error());
    api_reply reply;
    reply.body = shown(*tree).dump(-1, ' ', false, json::error_handler_t::replace);
    return reply;
  });
  add_health_routes(
    routes, [&system, supervisor, &phase] { return not_ready(system, supervisor, phase); },
    numbers);
  if (more)
    more(routes);
}

} // namespace herald
