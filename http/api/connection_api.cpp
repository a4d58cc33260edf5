#include "http/api/connection_api.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "http/server/request_arguments.hpp"
#include "messages/wire/connection_json.hpp"

namespace herald {

namespace {

/// A day.
constexpr std::uint64_t max_stay_away_s = 86'400;

} // namespace

void add_connection_routes(
  router& routes, caf::actor_system& system, const connection_registry_actor& registry) {
  routes.add(
    "GET", "/api/connections", {{"limit", "after"}},
    [&system, registry](const api_request& request) {
      const auto which = page_arguments(request);
      if (!which)
        return problem(which.error());
      const auto page =
        ask<connection_page>(system, registry, list_connections{which->after, which->limit});
      return page ? json_reply(200, to_json(*page)) : problem(page.error());
    });
  routes.add(
    "DELETE", "/api/connections/{request_id}", {{"stay_away_s"}},
    [&system, registry](const api_request& request) {
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
        system, registry, close_connection{std::move(*id), std::chrono::seconds{seconds}});
      return closed ? json_reply(204, {}) : problem(closed.error());
    });
}

} // namespace herald
