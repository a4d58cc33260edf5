#pragma once

#include <cstddef>

namespace herald::testing {

/// The sanitizer that the tests, and the heralds that they start, are built with.
enum class sanitizer { none, address, thread };

inline constexpr auto built_with =
#if defined(__SANITIZE_ADDRESS__)
  sanitizer::address;
#elif defined(__SANITIZE_THREAD__)
  sanitizer::thread;
#else
  sanitizer::none;
#endif

/// What a process may take on top of its own, once it is warm: AddressSanitizer keeps 256 MiB of
/// what was freed, and marks around and beside it.
inline constexpr std::size_t sanitizer_kib =
  built_with == sanitizer::address ? std::size_t{384} * 1024 : 0;

/// How many random worlds to play: a sanitizer makes each some times dearer, and finds more in it.
[[nodiscard]] constexpr unsigned worlds(unsigned usually) noexcept {
  return built_with == sanitizer::none ? usually : usually / 5;
}

} // namespace herald::testing
