#pragma once

#include <functional>
#include <string>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/supervision/shell_core.hpp"
#include "actors/telemetry/metrics.hpp"
#include "http/config/config.hpp"
#include "messages/actors.hpp"

namespace herald {

/// The supervisor of a service. Ends all actors under it, also where the service could not be built
/// to its end.
class supervision {
public:
  /// `give_up` is called, on any thread, when an actor has failed for good.
  supervision(
    caf::actor_system& system, const config& settings, metrics& numbers,
    std::function<void()> give_up);
  /// Ends the actors, if that has not been done.
  ~supervision();
  supervision(const supervision&) = delete;
  supervision& operator=(const supervision&) = delete;

  /// The options to spawn a child with: its name, which is that of its kind, and its supervision.
  [[nodiscard]] shell_options child(const char* kind) const;

  [[nodiscard]] const supervisor_actor& address() const noexcept { return supervisor_; }

  /// Has the supervisor end all its children, and ends it. Gives the names of those that did not
  /// end in time.
  [[nodiscard]] std::vector<std::string> end_actors();

private:
  caf::actor_system& system_;
  metrics& numbers_;
  const supervision_options options_;
  supervisor_actor supervisor_;
};

} // namespace herald
