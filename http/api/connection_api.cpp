#include "http/api/connection_api.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "http/api/connection_list_api.hpp"
#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "http/server/request_arguments.hpp"
#include "messages/json/json_writer.hpp"
#include "messages/wire/connection_json.hpp"

namespace herald {

namespace {

/// A day.
constexpr std::uint64_t max_stay_away_s = 86'400;

/// The registry, as handlers talk to it.
struct registry_at {
  caf::actor_system& system;
  connection_registry_actor registry;
};

api_reply close_one(const registry_at& at, const api_request& request) {
  auto id = request_id_argument(request, 0);
  if (!id)
    return problem(id.error());
  const auto stay_away = number_argument(request, "stay_away_s");
  if (!stay_away)
    return problem(stay_away.error());
  const auto seconds = stay_away->value_or(0);
  if (seconds > max_stay_away_s)
    return problem(failure{
      ec::invalid_field, "must be at most " + std::to_string(max_stay_away_s), "stay_away_s"});
  const auto closed = ask<void>(
    at.system, at.registry, close_connection{std::move(*id), std::chrono::seconds{seconds}});
  return closed ? json_reply(204, {}) : problem(closed.error());
}

api_reply close_all(const registry_at& at, const api_request& request) {
  auto subject = request.argument("subject");
  if (!subject)
    return problem(failure{ec::invalid_field, "is required", "subject"});
  if (const auto broken = principal_violation(*subject))
    return problem(failure{ec::invalid_field, std::string{*broken}, "subject"});
  const auto closed =
    ask<connections_ended>(at.system, at.registry, close_connections{std::move(*subject)});
  return closed ? json_reply(200, object_writer{}.number("closed", closed->count).finish())
                : problem(closed.error());
}

api_reply change(const registry_at& at, const api_request& request) {
  auto id = request_id_argument(request, 0);
  if (!id)
    return problem(id.error());
  auto changes = parse_topic_changes(std::move(*id), request.body);
  if (!changes)
    return problem(changes.error());
  const auto changed = ask<topics_changed>(at.system, at.registry, std::move(*changes));
  if (!changed)
    return problem(changed.error());
  auto reply = json_reply(200, to_json(*changed));
  reply.headers.emplace_back(place_header, to_string(changed->place));
  return reply;
}

api_reply topics(const registry_at& at, const api_request& request) {
  const auto which = page_arguments(request);
  if (!which)
    return problem(which.error());
  const auto page =
    ask<topic_page>(at.system, at.registry, list_topics{which->after, which->limit});
  return page ? json_reply(200, to_json(*page)) : problem(page.error());
}

} // namespace

void add_connection_routes(
  router& routes, caf::actor_system& system, const connection_registry_actor& registry) {
  using handler = api_reply (*)(const registry_at&, const api_request&);
  const auto add = [&routes, at = registry_at{system, registry}](
                     const char* method, const char* pattern, const route_input& takes,
                     handler handle) {
    routes.add(method, pattern, takes, [at, handle](const api_request& request) {
      return handle(at, request);
    });
  };
  add_connection_list_route(routes, system, registry);
  add("DELETE", "/api/connections", {{"subject"}}, close_all);
  add("DELETE", "/api/connections/{request_id}", {{"stay_away_s"}}, close_one);
  add("POST", "/api/connections/{request_id}/topics", no_parameters, change);
  add("GET", "/api/topics", {{"limit", "after"}}, topics);
}

} // namespace herald
