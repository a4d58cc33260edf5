#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "messages/ids.hpp"

namespace herald {

/// Gives out the ids of events. With a journal, only ids that it holds as reserved: the next life
/// begins behind them, so that an id that some stream has seen is never another event's, whatever
/// of the events was written and however the clock was set. Pure.
class id_source {
public:
  /// Ids that one reservation adds; as many microseconds of the clock.
  static constexpr std::uint64_t reservation = std::uint64_t{1} << 24U;
  static constexpr event_id unbounded{std::numeric_limits<std::int64_t>::max()};

  /// Everything up to `last` is given out, everything up to `reserved` may be.
  id_source(event_id last, event_id reserved) : last_(last), reserved_(reserved) {}

  [[nodiscard]] bool has(std::uint64_t count) const noexcept {
    return reserved_.value - last_.value >= count;
  }
  event_id next() noexcept { return {++last_.value}; }
  [[nodiscard]] event_id last() const noexcept { return last_; }

  /// The reservation to ask for, if it is time and none is under way.
  [[nodiscard]] std::optional<event_id> due() {
    if (asked_ || has(reservation / 2))
      return std::nullopt;
    asked_ = event_id{last_.value + reservation};
    return asked_;
  }

  /// How asking went.
  void answered(bool granted) noexcept {
    if (asked_ && granted)
      reserved_ = *asked_;
    asked_.reset();
  }

private:
  event_id last_;
  event_id reserved_;
  std::optional<event_id> asked_;
};

} // namespace herald
