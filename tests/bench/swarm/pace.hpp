#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tests/bench/swarm/clock.hpp"
#include "tests/bench/swarm/options.hpp"

namespace herald::bench {

/// Decides when the next event, or batch, is published. Pure: times are given.
class pace {
public:
  pace(const publish_settings& settings, nanos begin);

  /// Whether all that is wanted was published.
  [[nodiscard]] bool finished(nanos at) const;
  /// When the next one is due; in a pace that waits for deliveries, at once.
  [[nodiscard]] nanos due() const;

  /// How many deliveries there must be before the next one; nothing if it does not depend on them.
  [[nodiscard]] std::optional<std::uint64_t> deliveries_wanted(std::uint64_t live) const;
  /// Since when deliveries are waited for; after `patience` it goes on without them.
  [[nodiscard]] bool out_of_patience(nanos at) const { return at - last_ > patience_; }
  /// Deliveries that did not come are not waited for any more; `delivered` is all there will be.
  void give_up(std::uint64_t delivered) { expected_ = delivered; }

  /// The next one is published now, to `live` streams. True if measuring begins with it.
  bool publish(nanos at, std::uint64_t live);

private:
  pacing mode_;
  std::size_t batch_;
  std::size_t window_;
  nanos interval_ = 0;
  nanos begin_;
  nanos warm_;
  nanos end_;
  nanos patience_;
  std::size_t wanted_events_;

  std::uint64_t turns_ = 0;
  std::uint64_t measured_events_ = 0;
  /// Deliveries that there are once all streams have all that was published.
  std::uint64_t expected_ = 0;
  nanos last_;
  bool measuring_ = false;
};

} // namespace herald::bench
