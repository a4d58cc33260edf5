#pragma once

#include <caf/actor_system.hpp>

#include "http/server/router.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Serves `GET /api/connections`: who is connected, as `lister` knows it, and how far behind each
/// stream is, as those know who reach it.
void add_connection_list_route(
  router& routes, caf::actor_system& system, const connection_lister_actor& lister);

} // namespace herald
