#pragma once

#include <caf/actor_system.hpp>

#include "http/server/router.hpp"
#include "messages/actors.hpp"

namespace herald {

/// `GET /api/connections?limit=100&after=CURSOR&topic=&subject=&role=` shows who is connected,
/// `DELETE /api/connections/{request_id}?stay_away_s=0` ends a stream, and keeps its page away
/// (204), `DELETE /api/connections?subject=` ends all of a subject. `POST
/// /api/connections/{request_id}/topics` changes what a page's stream hears, `GET /api/topics`
/// counts who listens to what.
void add_connection_routes(
  router& routes, caf::actor_system& system, const connection_registry_actor& registry);

} // namespace herald
