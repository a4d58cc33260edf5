#pragma once

#include <chrono>
#include <thread>

namespace herald::testing {

/// How long tests with real parts wait for what must happen. Never how long they take: it only has
/// to outlast a machine that is busy.
inline constexpr std::chrono::seconds patience{30};

/// Looks again and again until `holds()`, at most for `limit`. Whether it did.
template <class Predicate>
[[nodiscard]] bool eventually(Predicate holds, std::chrono::milliseconds limit = patience) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

} // namespace herald::testing
