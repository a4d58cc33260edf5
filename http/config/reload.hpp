#pragma once

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
};

/// Puts those settings of `wanted` into `running` that may change while herald runs.
[[nodiscard]] reload_outcome reload(config& running, const config& wanted);

} // namespace herald
