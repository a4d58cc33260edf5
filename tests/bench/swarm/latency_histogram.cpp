#include "tests/bench/swarm/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace herald::bench {

namespace {

constexpr unsigned step_bits = 6;
constexpr std::size_t steps = std::size_t{1} << step_bits;
constexpr std::size_t bucket_count = steps * (64 - step_bits + 1);

/// Values below `steps` have a bucket each. Of larger ones the leading bit chooses a row, and the
/// six bits behind it the place in the row.
std::size_t bucket_of(nanos value) {
  if (value < steps)
    return static_cast<std::size_t>(value);
  const auto row = static_cast<unsigned>(std::bit_width(value)) - step_bits;
  return row * steps + static_cast<std::size_t>((value >> (row - 1)) - steps);
}

nanos middle_of(std::size_t bucket) {
  if (bucket < steps)
    return bucket;
  const auto shift = bucket / steps - 1;
  return ((bucket % steps + steps) << shift) + ((nanos{1} << shift) >> 1);
}

} // namespace

latency_histogram::latency_histogram() : buckets_(bucket_count) {}

void latency_histogram::add(nanos value) {
  ++buckets_[bucket_of(value)];
  ++count_;
  max_ = std::max(max_, value);
}

void latency_histogram::merge(const latency_histogram& other) {
  for (std::size_t i = 0; i < bucket_count; ++i)
    buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

nanos latency_histogram::percentile(double percent) const {
  if (count_ == 0)
    return 0;
  const auto share = std::ceil(percent / 100 * static_cast<double>(count_));
  const auto wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(share), 1, count_);
  if (wanted == count_)
    return max_;
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += buckets_[bucket]) < wanted)
    ++bucket;
  return std::min(middle_of(bucket), max_);
}

} // namespace herald::bench
