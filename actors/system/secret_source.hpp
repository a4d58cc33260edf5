#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace herald {

/// Numbers that nobody can guess, from the kernel (getrandom(2)), some at a time: a tenth of the
/// cost of a std::random_device, which asks the processor for each.
class secret_source {
public:
  /// Throws `std::system_error` where the kernel has none, which is before it has booted.
  [[nodiscard]] std::uint64_t operator()();

private:
  /// 256 bytes: what the kernel hands out without being interrupted.
  std::array<std::uint64_t, 32> kept_{};
  std::size_t left_ = 0;
};

} // namespace herald
