#pragma once

#include <memory>

#include "http/service/service.hpp"

namespace herald {

/// herald as it is meant: registry, versions, tasks and the whole API, with streams on its own
/// endpoint or behind an external SSE Gateway (`gateway.url`).
[[nodiscard]] std::unique_ptr<service> make_broadcast_service(
  const config& settings, caf::actor_system& system, metrics& numbers, service_host host);

} // namespace herald
