#pragma once

#include <array>
#include <span>

#include "http/config/setting_rules.hpp"
#include "http/config/settings.hpp"

/// Key and member of a setting; one text for both, so that they cannot differ.
#define AT(path)                                                                                   \
#path, [](config & c) -> setting_place {                                                         \
    return &c.path;                                                                                \
  }

namespace herald {

// The table of settings, in two sources: who comes in, and what goes on inside. For `settings`.
[[nodiscard]] std::span<const setting> settings_of_ports();
[[nodiscard]] std::span<const setting> settings_of_parts();

namespace setting_rules {

inline constexpr auto shown = secrecy::open;
inline constexpr auto live = applies::live;

} // namespace setting_rules

} // namespace herald
