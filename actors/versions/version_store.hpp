#pragma once

#include <memory>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/supervision/shell.hpp"
#include "actors/telemetry/metrics.hpp"
#include "actors/versions/version_settings.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Pending versions from former lives of herald, and who keeps those that the next one needs.
struct version_memory {
  /// Null: nothing outlives the process.
  recorder_actor recorder;
  /// The one that was queued longest ago first.
  std::vector<version_kept> versions;
};

/// Spawns the version store, an observer of connections like any other: at each connect it sends
/// the pending version of that request_id, or else the current version; nothing where what the
/// stream had missed has just brought it that version (or, with none pending, any version).
///
/// A pending version stays until it is overwritten: sending it does not clear it, nor does failing
/// to send it. The current version comes from `source` (null: there is none, and nothing is sent);
/// at most one fetch is under way, and all who connect meanwhile get its outcome, so that neither a
/// connect nor a storm of them waits for a slow source.
///
/// With a recorder a pending version and its broadcast are written together, and `queue_version` is
/// answered then.
supervised<version_store_actor> spawn_version_store(
  caf::actor_system& system, shell_options options, const version_settings& limits,
  publisher_actor publisher, version_source_actor source, metrics& numbers,
  version_memory memory = {});

} // namespace herald
