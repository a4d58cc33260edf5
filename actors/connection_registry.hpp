#pragma once

#include <chrono>
#include <memory>

#include <caf/fwd.hpp>

#include "actors/event_history.hpp"
#include "actors/metrics.hpp"
#include "actors/shell.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Spawns the connection registry: the owner of the table of connections and of the one order of
/// everything published.
///
/// Ordering: what one sender publishes keeps its order; every stream sees all events in the order
/// of their ids. A stream gets everything published after its `open_connection` was handled,
/// nothing from before.
///
/// The table, the transports, the observers and the history outlive a restart of the inside.
supervised<connection_registry_actor> spawn_connection_registry(
  caf::actor_system& system, shell_options options, const history_limits& limits, metrics& numbers);

} // namespace herald
