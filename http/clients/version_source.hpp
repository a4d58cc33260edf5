#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>

#include "actors/supervision/shell.hpp"
#include "messages/actors.hpp"

namespace herald {

struct version_source_options {
  /// Where the current version document is, http:// or https://.
  std::string url;
  /// For all of it: connections, redirects, the document. The system's name resolution keeps to its
  /// own time-outs.
  std::chrono::milliseconds timeout{2000};
  std::size_t max_bytes = std::size_t{64} * 1024;
  std::size_t max_redirects = 3;
  /// Of the authorities that servers' certificates are checked by, as PEM; empty: the system's.
  std::string ca_file{};
};

/// Fetches the version document; compact JSON text. `ec::upstream_unavailable` (no connection),
/// `ec::upstream_timed_out`, `ec::upstream_refused` (another status than 200, too large, not JSON).
/// Blocks. Details of failures name no addresses: browsers may see them.
///
/// Redirects are followed, from TLS to TLS alone. To the host of the URL they may lead whatever its
/// address; to another host only where its address is a public one (`is_public_address`): what
/// whoever answers there sees of herald's network is shown to pages. Proxies of the environment are
/// not used.
[[nodiscard]] caf::expected<std::string>
fetch_version_document(const version_source_options& options);

/// Answers each `fetch_version` with a fetch, one after the other. Waits for the network: runs
/// detached.
supervised<version_source_actor> spawn_version_source(
  caf::actor_system& system, shell_options shell, version_source_options options);

} // namespace herald
