#include "tests/bench/swarm/publish_log.hpp"

#include <stdexcept>

namespace herald::bench {

publish_log::publish_log() = default;
publish_log::~publish_log() = default;

void publish_log::append(nanos at, std::size_t events) {
  auto number = last_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < events; ++i) {
    const auto index = number++;
    if (index / block_size >= max_blocks)
      throw std::length_error{"more events than a run can have"};
    auto& block = blocks_[index / block_size];
    if (!block)
      block = std::make_unique_for_overwrite<publish_log::block>();
    (*block)[index % block_size] = at;
  }
  // Readers look no further than this, so they see finished entries only.
  last_.store(number, std::memory_order_release);
}

nanos publish_log::at(event_number number) const {
  const auto index = number - 1;
  return (*blocks_[index / block_size])[index % block_size];
}

event_number publish_log::first_after(nanos at) const {
  event_number low = 1;
  event_number high = last() + 1;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    if (this->at(middle) > at)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

} // namespace herald::bench
