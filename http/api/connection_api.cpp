#include "http/api/connection_api.hpp"

#include <utility>

#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "http/server/request_arguments.hpp"
#include "messages/wire/connection_json.hpp"

namespace herald {

void add_connection_routes(
  router& routes, caf::actor_system& system, const connection_registry_actor& registry) {
  routes.add(
    "GET", "/api/connections", {{"limit", "after"}},
    [&system, registry](const api_request& request) {
      const auto limit = page_limit(request);
      if (!limit)
        return problem(limit.error());
      const auto after = number_argument(request, "after");
      if (!after)
        return problem(after.error());
      const auto page =
        ask<connection_page>(system, registry, list_connections{after->value_or(0), *limit});
      return page ? json_reply(200, to_json(*page)) : problem(page.error());
    });
  routes.add(
    "DELETE", "/api/connections/{request_id}", no_parameters,
    [&system, registry](const api_request& request) {
      auto id = request_id_argument(request, 0);
      if (!id)
        return problem(id.error());
      const auto closed = ask<void>(system, registry, close_connection{std::move(*id)});
      return closed ? json_reply(204, {}) : problem(closed.error());
    });
}

} // namespace herald
