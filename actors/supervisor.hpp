#pragma once

#include <functional>
#include <string>

#include <caf/fwd.hpp>

#include "actors/metrics.hpp"
#include "actors/restart_policy.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Spawns the supervisor, strategy one_for_one: a child that fails is restarted alone, after its
/// backoff. Past the intensity it calls `escalate` with the child's name, once, on an actor thread;
/// the child is not restarted any more.
supervisor_actor spawn_supervisor(
  caf::actor_system& system, const restart_options& options,
  std::function<void(const std::string&)> escalate, metrics& numbers);

} // namespace herald
