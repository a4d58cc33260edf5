#pragma once

#include <cstddef>

#include <sys/types.h>

namespace herald::testing {

/// What a process takes of the machine, from /proc.
struct process_use {
  std::size_t rss_kib = 0;
  std::size_t threads = 0;
  /// Over all tables of descriptors: threads may have tables of their own.
  std::size_t descriptors = 0;
};

[[nodiscard]] process_use use_of(pid_t process);

} // namespace herald::testing
