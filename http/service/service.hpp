#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/telemetry/metrics.hpp"
#include "http/config/config.hpp"
#include "http/server/router.hpp"

namespace herald {

/// Where a running herald can be reached.
struct open_ports {
  std::uint16_t api = 0;
  /// Nothing where an external gateway holds the streams.
  std::optional<std::uint16_t> stream;
};

/// Why a service ends.
enum class shutdown_reason : std::uint8_t {
  asked,   ///< work that is under way has the grace to end
  gave_up, ///< an actor has failed for good: whatever can be saved, and quickly
};

/// A herald that is wired up: its actors, its ports, and the order in which they start and end.
class service {
public:
  service() = default;
  service(const service&) = delete;
  service& operator=(const service&) = delete;
  /// Ends everything at once. The actor system must outlive it, and can end after it.
  virtual ~service() = default;

  [[nodiscard]] virtual open_ports ports() const = 0;

  /// Opens for business. Clients that came since the ports were taken are served now.
  virtual void start() = 0;

  /// Has the settings in force that are live (see `applies`); what others say does not matter. From
  /// the thread that starts and ends it.
  virtual void reconfigure(const config& now) = 0;

  /// Refuses new work, lets what runs end within the grace, flushes what is queued, tells the
  /// streams when to come back and closes them, ends the actors. Each step has its time, and there
  /// is no step that waits for longer.
  ///
  /// Gives the names of the actors that did not end: the service can then not be destroyed, only
  /// the process ended.
  [[nodiscard]] virtual std::vector<std::string> shut_down(shutdown_reason why) = 0;
};

/// Adds routes to the API beside those that herald has.
using route_adder = std::function<void(router&)>;

/// Builds the service that the settings ask for and takes its ports; throws std::system_error if
/// one cannot be had. `give_up` is called, on any thread, if it cannot go on and should be ended.
/// `more` may be none.
[[nodiscard]] std::unique_ptr<service> make_service(
  const config& settings, caf::actor_system& system, metrics& numbers,
  std::function<void()> give_up, const route_adder& more = {});

} // namespace herald
