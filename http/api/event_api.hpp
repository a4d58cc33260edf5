#pragma once

#include <chrono>

#include <caf/actor_system.hpp>

#include "http/server/router.hpp"
#include "messages/actors.hpp"
#include "messages/wire/event_json.hpp"

namespace herald {

/// `POST /api/events[?wait=true[&wait_ms=N]]`: publishes one event, or many in their order (a JSON
/// array, or `application/x-ndjson`). 202 with the ids; with `wait` 200 once every stream was
/// written to or has failed, or the wait is over: `wait_ms`, or `wait` where the request does not
/// say.
void add_event_routes(
  router& routes, caf::actor_system& system, const publisher_actor& publisher,
  const event_limits& limits, std::chrono::milliseconds wait);

/// `GET /api/events?after=ID&topic=&request_id=&subject=&role=&broadcast=&limit=100`: what is kept
/// that a stream with these parameters would be replayed; without any of them, all.
void add_look_back_route(
  router& routes, caf::actor_system& system, const connection_registry_actor& registry);

} // namespace herald
