#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "messages/journal.hpp"

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
  /// Gives out `count` ids in a row; the first of them.
  event_id next(std::uint64_t count = 1) noexcept {
    last_.value += count;
    return {last_.value - count + 1};
  }
  [[nodiscard]] event_id last() const noexcept { return last_; }

  /// The reservation to ask for with this ticket, if it is time and none is under way.
  [[nodiscard]] std::optional<event_id> due(ticket_id ticket) {
    if (asked_ || has(reservation / 2))
      return std::nullopt;
    asked_ = event_id{last_.value + reservation};
    asked_with_ = ticket;
    return asked_;
  }

  /// The journal has answered. A ticket that it has left out is lost, the reservation with it.
  void answered(const entries_recorded& fact) noexcept {
    if (!asked_ || fact.last < asked_with_)
      return;
    if (fact.why.code == ec::none && asked_with_ >= fact.first)
      reserved_ = *asked_;
    asked_.reset();
  }

private:
  event_id last_;
  event_id reserved_;
  std::optional<event_id> asked_;
  ticket_id asked_with_ = 0;
};

} // namespace herald
