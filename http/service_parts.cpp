#include "http/service_parts.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <nlohmann/json.hpp>

#include "http/ask.hpp"
#include "http/problem.hpp"

namespace herald {

using json = nlohmann::ordered_json;

api_options api_options_of(const config& settings) {
  api_options options;
  options.host = settings.api.host;
  options.port = settings.api.port;
  options.reading.max_body_bytes = settings.api.max_body_bytes;
  options.max_connections = settings.api.max_connections;
  options.max_waiting_connections = settings.api.max_waiting_connections;
  return options;
}

stream_options stream_options_of(const config& settings) {
  const auto& from = settings.stream;
  stream_options options;
  options.host = from.host;
  options.port = from.port;
  options.threads = static_cast<unsigned>(from.threads);
  options.heartbeat = from.heartbeat_s;
  options.give_up_after = from.unreachable_s;
  options.cors_origins = from.cors_origins;
  options.max_streams = from.max_streams;
  options.max_streams_per_address = from.max_streams_per_address;
  options.max_head_bytes = from.max_head_bytes;
  options.head_timeout = from.head_timeout_ms;
  options.max_heads = from.max_heads;
  options.max_openings = from.max_openings;
  options.log_bytes = from.log_bytes;
  options.private_queue_bytes = from.private_queue_bytes;
  options.retry = from.retry_ms;
  options.retry_spread = from.retry_ms;
  options.drain_retry_spread = settings.shutdown.retry_window_ms;
  return options;
}

actor_owner::~actor_owner() {
  for (; !owned_.empty(); owned_.pop_back())
    caf::anon_send_exit(owned_.back(), caf::exit_reason::user_shutdown);
}

std::vector<std::string> not_ready(
  caf::actor_system& system, const supervisor_actor& supervisor,
  const std::atomic<service_phase>& phase) {
  switch (phase.load()) {
  case service_phase::starting:
    return {"starting"};
  case service_phase::shutting_down:
    return {"shutting down"};
  case service_phase::running:
    break;
  }
  const auto tree = ask<actor_tree>(system, supervisor, get_actor_status{});
  if (!tree)
    return {"supervisor"};
  std::vector<std::string> names;
  for (const auto& child : tree->children)
    if (child.state != actor_state::running)
      names.push_back(child.name);
  return names;
}

void add_actor_routes(
  router& routes, caf::actor_system& system, const supervisor_actor& supervisor) {
  routes.add("GET", "/api/actors", [&system, supervisor](const api_request&) {
    const auto tree = ask<actor_tree>(system, supervisor, get_actor_status{});
    if (!tree)
      return problem(tree.error());
    auto actors = json::array();
    for (const auto& child : tree->children) {
      json shown = {
        {"name", child.name}, {"state", to_string(child.state)}, {"restarts", child.restarts}};
      shown["last_error"] = child.last_error.empty() ? json{} : json(child.last_error);
      actors.push_back(std::move(shown));
    }
    const json document = {{"strategy", "one_for_one"}, {"actors", std::move(actors)}};
    api_reply reply;
    reply.body = document.dump(-1, ' ', false, json::error_handler_t::replace);
    return reply;
  });
}

} // namespace herald
