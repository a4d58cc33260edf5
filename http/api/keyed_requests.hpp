#pragma once

#include <functional>

#include <caf/actor_system.hpp>

#include "http/server/router.hpp"
#include "messages/actors.hpp"
#include "messages/idempotency.hpp"

namespace herald {

/// Has requests with an `Idempotency-Key` carried out once: whoever sends the key again, with the
/// same body to the same target, gets the same answer, with `Idempotent-Replayed: true`. Given
/// again are 2xx, 404, 409 and 422.
void add_keyed_requests(router& routes, caf::actor_system& system, const idempotency_actor& book);

/// What is published for a request that has a key: the receipt becomes the answer that is kept.
[[nodiscard]] keyed_publish_ptr
publish_once(const api_request& request, std::function<api_reply(const publish_receipt&)> reply_of);

} // namespace herald
