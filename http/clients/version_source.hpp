#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

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
};

/// Fetches the version document; compact JSON text. `ec::upstream_unavailable` (no connection),
/// `ec::upstream_timed_out`, `ec::upstream_refused` (another status than 200, too large, not JSON).
/// Blocks. Details of failures name no addresses: browsers may see them.
[[nodiscard]] caf::expected<std::string>
fetch_version_document(const version_source_options& options);

/// A web address in two halves, e.g. "https://host:1234" and "/path?query".
struct web_address {
  std::string origin;
  std::string target;
};

/// Takes an http or https URL apart, its fragment left out; nothing for anything else.
[[nodiscard]] std::optional<web_address> parse_web_address(std::string_view url);
/// Where a `Location` leads from `base`; nothing where it is not followed.
[[nodiscard]] std::optional<web_address> follow(const web_address& base, std::string_view location);

/// Answers each `fetch_version` with a fetch, one after the other. Waits for the network: runs
/// detached.
supervised<version_source_actor> spawn_version_source(
  caf::actor_system& system, shell_options shell, version_source_options options);

} // namespace herald
