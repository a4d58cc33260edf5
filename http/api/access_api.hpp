#pragma once

#include <caf/fwd.hpp>

#include "http/access/ticket_book.hpp"
#include "http/auth/auth_options.hpp"
#include "http/server/router.hpp"
#include "messages/actors.hpp"

namespace herald {

/// The REVOKER actor interface: who ends the streams of a credential.
using revoker_actor = typed_actor<result<void>(revoke_access)>;

/// Adds `POST /api/tickets`, which lets a page have a stream, and `POST /api/revocations`, after
/// which a credential lets nobody have one. Where streams need no credential, both say so (404).
/// `tickets` outlives the routes.
void add_access_routes(
  router& routes, caf::actor_system& system, const revoker_actor& registry, ticket_book& tickets,
  const auth_options& rules);

} // namespace herald
