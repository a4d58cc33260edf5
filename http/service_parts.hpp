#pragma once

#include <atomic>
#include <string>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/fwd.hpp>

#include "http/api_server.hpp"
#include "http/config.hpp"
#include "http/router.hpp"
#include "http/stream_options.hpp"
#include "messages/actors.hpp"

namespace herald {

/// What both kinds of service are made of: their options from the settings, and the question
/// whether they are ready.

[[nodiscard]] api_options api_options_of(const config& settings);
[[nodiscard]] stream_options stream_options_of(const config& settings);

/// Ends the actors that it was given, the last one first, when it goes. A service that has it
/// before its ports ends them also where a port cannot be had: actors that know each other go on
/// for ever.
class actor_owner {
public:
  actor_owner() = default;
  actor_owner(const actor_owner&) = delete;
  actor_owner& operator=(const actor_owner&) = delete;
  ~actor_owner();

  template <class Handle>
  Handle own(Handle actor) {
    if (actor)
      owned_.push_back(caf::actor_cast<caf::strong_actor_ptr>(actor));
    return actor;
  }

private:
  std::vector<caf::strong_actor_ptr> owned_;
};

/// Where a service is in its life; read by many threads, moved on by one.
enum class service_phase : std::uint8_t { starting, running, shutting_down };

/// What is not ready: the phase, and every supervised actor that is not running.
[[nodiscard]] std::vector<std::string> not_ready(
  caf::actor_system& system, const supervisor_actor& supervisor,
  const std::atomic<service_phase>& phase);

/// `GET /api/actors`: the supervisor and its children.
void add_actor_routes(
  router& routes, caf::actor_system& system, const supervisor_actor& supervisor);

} // namespace herald
