#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace herald {

/// Random times, so that clients who were all told at once do not all come back at once. Not for
/// secrets. For one thread.
class jitter {
public:
  explicit jitter(std::uint64_t seed) : random_(static_cast<std::minstd_rand::result_type>(seed)) {}

  /// From `least` to `least + spread`, both included.
  [[nodiscard]] std::chrono::milliseconds
  operator()(std::chrono::milliseconds least, std::chrono::milliseconds spread) {
    std::uniform_int_distribution<std::int64_t> some{0, spread.count()};
    return least + std::chrono::milliseconds{some(random_)};
  }

private:
  std::minstd_rand random_;
};

} // namespace herald
