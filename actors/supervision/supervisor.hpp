#pragma once

#include <functional>
#include <string>

#include <caf/fwd.hpp>

#include "actors/supervision/supervision_options.hpp"
#include "actors/system/random_source.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Spawns the supervisor, strategy one_for_one: a child that fails is restarted alone, after its
/// backoff. Past the intensity it calls `escalate` with the child's name, once, on an actor thread;
/// the child is not restarted any more, and stays as one that refuses.
///
/// A child whose actor has ended by itself has lost its mailbox and cannot be had back under its
/// address: that escalates too, unless it is temporary, or transient and ended in order.
///
/// `stop_children` ends the children in the order opposite to their start, all of one kind at a
/// time. Who does not end within its time is left behind.
supervisor_actor spawn_supervisor(
  caf::actor_system& system, supervision_options options,
  std::function<void(const std::string&)> escalate, metrics& numbers,
  random_source random = make_random_source());

} // namespace herald
