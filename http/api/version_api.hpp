#pragma once

#include <caf/actor_system.hpp>

#include "http/server/router.hpp"
#include "messages/actors.hpp"
#include "messages/wire/event_json.hpp"

namespace herald {

/// `POST /api/versions` stores and broadcasts a version: 202 `{"request_id","delivered"}`.
/// `GET /api/versions/{request_id}` shows the pending one: `{"version","changelog"?}`.
void add_version_routes(
  router& routes, caf::actor_system& system, const version_store_actor& store,
  const event_limits& limits);

/// `POST /api/testing/deployments/version`, as browser suites call it: the same as `POST
/// /api/versions`, answered 202 `{"requestId","delivered","status"}` with status "delivered" or
/// "queued".
void add_version_testing_routes(
  router& routes, caf::actor_system& system, const version_store_actor& store,
  const event_limits& limits);

} // namespace herald
