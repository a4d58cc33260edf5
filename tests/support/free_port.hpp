#pragma once

#include <cstdint>

namespace herald::testing {

/// A port of 127.0.0.1 that nobody listens on, for programs that cannot be asked for their port and
/// for those that are to come back on the same one. It is below the range from which the kernel
/// gives out ports by itself, so that no client takes it by chance.
[[nodiscard]] std::uint16_t free_port();

} // namespace herald::testing
