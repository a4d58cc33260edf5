#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include <caf/fwd.hpp>

#include "http/admission/callback_access.hpp"
#include "http/protocol/stream_query.hpp"
#include "http/server/router.hpp"
#include "messages/actors.hpp"

namespace herald {

struct callback_options {
  /// Whether an external gateway is configured (`gateway.url`). If not, the route answers 404.
  bool enabled = false;
  /// Longest wait of a connect, for a page's right and the owner of the streams together. Below the
  /// 5 s after which a gateway gives up, so that it hears an answer.
  std::chrono::milliseconds deadline{4000};
  /// How the query of a page's URL is read, of which the gateway tells.
  stream_query::rules query{};
  /// Asks pages for their right; null: whoever names a page has its stream.
  std::shared_ptr<callback_access> access = nullptr;
};

/// Adds `POST /api/sse/callback`, by which an external gateway tells of its streams. Whether it has
/// the secret, `api_access` has asked by then. A connect is answered as soon as `owner` has taken
/// it. A page that has no right to its stream is refused, 401, 403 or 400, which the gateway passes
/// on; one of which that cannot be said now gets a stream that ends at once, and so comes back.
/// `shards` reach the gateway's streams, each its share; there must be at least one if
/// `options.enabled`.
void add_callback_routes(
  router& routes, caf::actor_system& system, const stream_owner_actor& owner,
  std::vector<gateway_sender_actor> shards, callback_options options);

} // namespace herald
