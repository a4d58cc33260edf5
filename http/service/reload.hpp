#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/config/config.hpp"

namespace herald {

/// What has become of settings that were read again.
struct reload_outcome {
  /// In force now.
  std::vector<std::string> changed;
  /// In force after a restart.
  std::vector<std::string> needs_restart;
  /// Set where what is live, without what needs a restart, breaks a rule between settings. Then
  /// nothing has changed.
  std::optional<violation> broken;
};

/// Puts those settings of `wanted`, which are good, into `running` that are live; see `applies`.
[[nodiscard]] reload_outcome reload(config& running, const config& wanted);

} // namespace herald
