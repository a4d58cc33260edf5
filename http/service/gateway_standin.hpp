#pragma once

#include <memory>

#include <caf/expected.hpp>
#include <caf/fwd.hpp>

#include "actors/stand_in/stand_in_front.hpp"
#include "http/clients/callback_client.hpp"

namespace herald {

/// What makes herald stand in for an SSE Gateway: the owner of its streams, and the way to the
/// backend. `front` is handed to the stream loops and to `POST /internal/send`.
///
/// To end it: `begin_shutdown` to the front, end the streams, `flush` to the front (each with a
/// deadline), exits to `front` and `caller`, then `client.reset()` while the actor system lives.
struct gateway_standin {
  std::shared_ptr<callback_client> client;
  backend_caller_actor caller;
  supervised<stand_in_front_actor> front;
};

/// Fails like `callback_client::make`; nothing runs then.
[[nodiscard]] caf::expected<gateway_standin> make_gateway_standin(
  caf::actor_system& system, const shell_options& shell, callback_client_options callbacks,
  stand_in_streams::limits bounds, metrics& numbers);

} // namespace herald
