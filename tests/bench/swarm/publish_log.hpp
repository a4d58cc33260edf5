#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "tests/bench/swarm/clock.hpp"
#include "tests/bench/swarm/sequence_check.hpp"

namespace herald::bench {

/// When each event was published. One thread writes, any number of them read.
class publish_log {
public:
  publish_log();
  ~publish_log();
  publish_log(const publish_log&) = delete;
  publish_log& operator=(const publish_log&) = delete;

  /// Notes the next `events` as published at `at`. Before their request is written: whoever is
  /// asked about an event that it has received must find it here.
  void append(nanos at, std::size_t events = 1);

  /// The number of the last event; 0 if there is none.
  [[nodiscard]] event_number last() const { return last_.load(std::memory_order_acquire); }

  /// The first event that was published after `at`: what a stream that opened then is owed.
  /// `last() + 1` if there is none.
  [[nodiscard]] event_number first_after(nanos at) const;

private:
  static constexpr std::size_t block_size = std::size_t{1} << 18;
  static constexpr std::size_t max_blocks = 4096;
  using block = std::array<nanos, block_size>;

  [[nodiscard]] nanos at(event_number number) const;

  std::array<std::unique_ptr<block>, max_blocks> blocks_;
  std::atomic<event_number> last_ = 0;
};

} // namespace herald::bench
