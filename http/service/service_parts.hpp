#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include <caf/fwd.hpp>

#include "http/admission/stream_options.hpp"
#include "http/config/config.hpp"
#include "http/server/api_options.hpp"
#include "http/server/router.hpp"
#include "http/service/service.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Parts of both kinds of service: options from the settings, and routes that tell of the service
/// itself.

[[nodiscard]] stream_options stream_options_of(const config& settings);
[[nodiscard]] api_options api_options_of(const config& settings);

/// Where a service is in its life; read by many threads, moved on by one.
enum class service_phase : std::uint8_t { starting, running, shutting_down };

/// How long to wait for an answer while shutting down. An actor that hangs must not cost the others
/// their time to save what they have.
[[nodiscard]] std::chrono::milliseconds patience(shutdown_reason why);

/// Adds what both kinds of service answer of themselves: `GET /api/actors`, the supervisor and its
/// children; `/healthz`, `/metrics`; `/readyz`, which names the phase and every supervised actor
/// that herald misses; and what their process adds. `phase` and `numbers` outlive the routes.
void add_service_routes(
  router& routes, caf::actor_system& system, const supervisor_actor& supervisor,
  const std::atomic<service_phase>& phase, const metrics& numbers, const route_adder& more);

/// Answers at `/` and at the path of streams, which are served by `streams`, what lives where.
void add_signposts(router& routes, const std::string& streams);

} // namespace herald
