#pragma once

#include <functional>
#include <memory>

#include "http/service/service.hpp"

namespace herald {

/// herald as it is meant: registry, versions, tasks and the whole API, with streams on its own
/// endpoint or behind an external SSE Gateway (`gateway.url`).
[[nodiscard]] std::unique_ptr<service> make_broadcast_service(
  const config& settings, caf::actor_system& system, metrics& numbers,
  std::function<void()> give_up, const route_adder& more = {});

} // namespace herald
