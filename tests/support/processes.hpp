#pragma once

#include <cstddef>

#include <sys/types.h>

#include "tests/support/eventually.hpp"

namespace herald::testing {

/// Whether a process has ended; a zombie that is not ours to reap has.
[[nodiscard]] bool is_gone(pid_t pid);

/// Whether this process has children, zombies included.
[[nodiscard]] bool has_children();

/// How many descriptors this process has open.
[[nodiscard]] std::size_t open_descriptors();

} // namespace herald::testing
