#include "http/api/version_api.hpp"

#include <chrono>
#include <string>

#include "http/api/keyed_requests.hpp"
#include "http/keys/api_access.hpp"
#include "http/keys/api_caller.hpp"
#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "http/server/request_arguments.hpp"
#include "messages/wire/version_json.hpp"

namespace herald {

namespace {

/// Queues the version of a request's body; `render` shows what came of it.
template <class Render>
router::handler queueing(
  caf::actor_system& system, const version_store_actor& store, const event_limits& limits,
  Render render) {
  return [&system, store, limits, render](const api_request& request) {
    auto order = parse_version(request.body, limits);
    if (!order)
      return problem(order.error());
    // It goes to all streams.
    if (request.by)
      if (const auto why = publish_violation(request.by->key, nullptr))
        return insufficient_scope(*why, scope::versions_write);
    if (request.by)
      request.by->published(std::chrono::steady_clock::now(), 1, request.body.size());
    const auto id = order->id;
    if (request.once)
      order->once = publish_once(request, [id, render](const publish_receipt& receipt) {
        return json_reply(202, render(id, receipt.recipients > 0));
      });
    const auto queued = ask<version_queued>(system, store, std::move(*order));
    if (!queued)
      return problem(queued.error());
    return json_reply(202, render(id, queued->delivered));
  };
}

} // namespace

void add_version_routes(
  router& routes, caf::actor_system& system, const version_store_actor& store,
  const event_limits& limits) {
  routes.add(
    "POST", "/api/versions", no_parameters,
    queueing(system, store, limits, [](const request_id& id, bool delivered) {
      return object_writer{}.text("request_id", id.str()).boolean("delivered", delivered).finish();
    }));
  routes.add(
    "GET", "/api/versions/{request_id}", no_parameters,
    [&system, store](const api_request& request) {
      auto id = request_id_argument(request, 0);
      if (!id)
        return problem(id.error());
      const auto pending = ask<pending_version>(system, store, get_pending_version{std::move(*id)});
      return pending ? json_reply(200, version_data(*pending)) : problem(pending.error());
    });
}

void add_version_testing_routes(
  router& routes, caf::actor_system& system, const version_store_actor& store,
  const event_limits& limits) {
  routes.add(
    "POST", "/api/testing/deployments/version", no_parameters,
    queueing(system, store, limits, [](const request_id& id, bool delivered) {
      return object_writer{}
        .text("requestId", id.str())
        .text("request_id", id.str())
        .boolean("delivered", delivered)
        .text("status", delivered ? "delivered" : "queued")
        .finish();
    }));
}

} // namespace herald
