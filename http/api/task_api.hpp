#pragma once

#include <caf/actor_system.hpp>

#include "http/keys/task_seal.hpp"
#include "http/server/router.hpp"
#include "messages/actors.hpp"

namespace herald {

/// What keys and tokens come to for tasks.
struct task_rules {
  task_seal seal{random_secret()};
  /// Whether everyone is told of a task that names nobody.
  bool told = true;
};

/// Adds the routes under `/api/tasks` to `routes`: start, list, look at, cancel and remove tasks,
/// and the reports of services that do the work of `external` ones.
void add_task_routes(
  router& routes, caf::actor_system& system, const task_runner_actor& runner,
  const task_rules& rules = {});

/// Adds `POST /api/testing/tasks/start`, which existing browser suites call.
void add_task_testing_routes(
  router& routes, caf::actor_system& system, const task_runner_actor& runner);

/// Adds `POST /api/testing/sse/task-event`, likewise: an event of a task to one page, without the
/// task. 400 where the page has no stream.
void add_task_event_testing_route(
  router& routes, caf::actor_system& system, const publisher_actor& publisher);

} // namespace herald
