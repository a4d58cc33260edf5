#pragma once

#include <chrono>
#include <cstddef>
#include <thread>

#include <sys/types.h>

namespace herald::testing {

/// Whether a condition holds within 30 seconds.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

/// Whether a process has ended; a zombie that is not ours to reap has.
[[nodiscard]] bool is_gone(pid_t pid);

/// Whether this process has children, zombies included.
[[nodiscard]] bool has_children();

/// How many descriptors this process has open.
[[nodiscard]] std::size_t open_descriptors();

} // namespace herald::testing
