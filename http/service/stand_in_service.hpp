#pragma once

#include <functional>
#include <memory>

#include "http/service/service.hpp"

namespace herald {

/// herald standing in for an SSE Gateway (`callback.url`): its streams are a backend's business,
/// its API is `/internal/send` and health.
[[nodiscard]] std::unique_ptr<service> make_stand_in_service(
  const config& settings, caf::actor_system& system, metrics& numbers,
  std::function<void()> give_up, const route_adder& more = {});

} // namespace herald
