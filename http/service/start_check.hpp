#pragma once

#include <optional>
#include <string>

#include "http/config/config.hpp"

namespace herald {

/// Why herald would not start now with these settings, which are good by themselves: a port that is
/// taken, a host that is not known, a file without a key, a journal that cannot be written. One
/// line, which names the settings. Leaves nothing behind.
[[nodiscard]] std::optional<std::string> obstacle_to_start(const config& settings);

} // namespace herald
