#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "tests/bench/swarm/clock.hpp"
#include "tests/bench/swarm/descriptor.hpp"
#include "tests/bench/swarm/publish_log.hpp"

namespace herald::bench {

/// What the publisher and the receivers let each other know while a run is going on.
class progress {
public:
  progress();

  publish_log published;
  /// The latency of events from this one on is measured.
  std::atomic<event_number> measured_from = std::numeric_limits<event_number>::max();
  /// Deliveries from this instant on are counted, also of what was published before: where much is
  /// under way at a time, the first of them are.
  std::atomic<nanos> measured_since = std::numeric_limits<nanos>::max();
  /// Streams that are to get the next event.
  std::atomic<std::uint64_t> live = 0;
  /// Of these each event is for so many; 0: for all. Set before a run begins.
  std::uint64_t reach = 0;

  /// Deliveries that an event which is published now makes.
  [[nodiscard]] std::uint64_t owed_each() const { return reach == 0 ? live.load() : reach; }

  /// Receivers: so many more first deliveries were seen.
  void add_delivered(std::uint64_t count);
  [[nodiscard]] std::uint64_t delivered() const { return delivered_.load(); }

  /// Publisher: `wake_descriptor` becomes readable once there are `total` deliveries. False if
  /// there are by now.
  bool wake_at(std::uint64_t total);
  [[nodiscard]] int wake_descriptor() const noexcept { return wake_.get(); }
  void clear_wake() const;

private:
  std::atomic<std::uint64_t> delivered_ = 0;
  std::atomic<std::uint64_t> wanted_ = 0;
  descriptor wake_;
};

} // namespace herald::bench
