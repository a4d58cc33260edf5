#pragma once

#include <caf/actor_system.hpp>

#include "http/server/router.hpp"
#include "messages/actors.hpp"

namespace herald {

/// `GET /api/connections?limit=100&after=CURSOR` shows who is connected, `DELETE
/// /api/connections/{request_id}?stay_away_s=0` ends a stream, and keeps its page away (204).
void add_connection_routes(
  router& routes, caf::actor_system& system, const connection_registry_actor& registry);

} // namespace herald
