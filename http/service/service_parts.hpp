#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/gateway/gateway_options.hpp"
#include "actors/journal/journal_recovery.hpp"
#include "actors/registry/connection_registry.hpp"
#include "actors/system/shared_value.hpp"
#include "actors/webhooks/webhooks.hpp"
#include "http/admission/stream_options.hpp"
#include "http/clients/webhook_client.hpp"
#include "http/config/config.hpp"
#include "http/keys/api_access.hpp"
#include "http/keys/task_seal.hpp"
#include "http/server/api_options.hpp"
#include "http/server/router.hpp"
#include "http/service/service.hpp"
#include "http/service/supervision.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Parts of both kinds of service: options from the settings, routes that tell of the service
/// itself, and who tells a backend what goes on.

[[nodiscard]] stream_options stream_options_of(const config& settings);
[[nodiscard]] api_options api_options_of(const config& settings);
[[nodiscard]] gateway_options gateway_options_of(const config& settings);

/// Who may use the API, as the settings say it.
[[nodiscard]] access_rules access_rules_of(const config& settings);

/// Logs what is closed to everybody: routes that want a secret of their own where none is set, and
/// there are keys.
void log_closed_routes(const config& settings);

/// What signs tokens and ids of tasks. With a journal its secret is kept beside that, so that tasks
/// which outlive herald can be reported on; throws where it cannot be.
[[nodiscard]] task_seal task_seal_of(const config& settings);

/// Where programs on this machine reach the API.
[[nodiscard]] std::string api_url_of(const config& settings, std::uint16_t port);

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

/// Who tells a backend by webhook: a client, which must outlive the actors, and the actor that
/// posts by it. Nobody where there is no `webhook.url`.
class webhook_teller {
public:
  explicit webhook_teller(const config& settings);

  /// Spawns the actor, if there is to be one. Once.
  void start(
    caf::actor_system& system, const supervision& children, const config& settings,
    metrics& numbers, webhook_memory memory = {});

  /// Null where nobody is to be told of anything.
  [[nodiscard]] watcher_actor watcher() const {
    return actor_ ? watcher_actor{actor_} : watcher_actor{};
  }

  void reconfigure(const config& now) { keys_.replace(now.webhook.keys); }

  /// Waits until all is told, or could not be, but no longer than this.
  void flush(caf::actor_system& system, std::chrono::milliseconds wait) const;

private:
  shared_value<std::vector<std::string>> keys_;
  std::optional<webhook_client> client_;
  webhooks_actor actor_;
};

/// The memory of the registry, out of what former lives have left, of which it takes the events,
/// the topics and the pages. `ends`: streams of a gateway are no page's any longer, and end.
[[nodiscard]] registry_memory registry_memory_of(
  const config& settings, journal_actor journal, recovered_journal& past, bool ends);

/// The memory of the webhooks, out of what former lives have left. Streams in `adopted` are open
/// still.
[[nodiscard]] webhook_memory webhook_memory_of(
  journal_actor journal, const journal_snapshot& past, const std::vector<stream_kept>& adopted);

} // namespace herald
