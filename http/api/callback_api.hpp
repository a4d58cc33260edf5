#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/system/shared_value.hpp"
#include "http/protocol/stream_query.hpp"
#include "http/server/router.hpp"
#include "messages/actors.hpp"

namespace herald {

struct callback_options {
  /// Whether an external gateway is configured (`gateway.url`). If not, the route answers 404.
  bool enabled = false;
  /// `callback.secret`. Whenever it is set, callbacks without it are refused; empty: none is asked.
  shared_value<std::string> secret;
  /// Longest wait for the owner of the streams. Below the 5 s after which a gateway gives up, so
  /// that it hears an answer.
  std::chrono::milliseconds deadline{4000};
  /// How the query of a page's URL is read, of which the gateway tells.
  stream_query::rules query{};
};

/// Whether two texts are the same, in a time that depends on `given` alone: neither the place of
/// the first difference nor the length of the secret shows.
[[nodiscard]] bool same_secret(std::string_view secret, std::string_view given) noexcept;

/// Adds `POST /api/sse/callback`, by which an external gateway tells of its streams. A connect is
/// answered as soon as `owner` has taken it. `shards` reach the gateway's streams, each its share;
/// there must be at least one if `options.enabled`.
void add_callback_routes(
  router& routes, caf::actor_system& system, const stream_owner_actor& owner,
  std::vector<gateway_sender_actor> shards, callback_options options);

} // namespace herald
