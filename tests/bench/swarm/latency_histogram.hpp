#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/bench/swarm/clock.hpp"

namespace herald::bench {

/// Counts times from a nanosecond to years, each kept within 1.6 % of what it was: 64 buckets per
/// power of two. The greatest is kept as it is.
class latency_histogram {
public:
  latency_histogram();

  void add(nanos value);
  void merge(const latency_histogram& other);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] nanos max() const noexcept { return max_; }
  /// The least value that `percent` of all are not above; 0 if there is none at all.
  [[nodiscard]] nanos percentile(double percent) const;

private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  nanos max_ = 0;
};

} // namespace herald::bench
