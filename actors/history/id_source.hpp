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

  /// Ids that are left to others between now and those that are planned: more than events that may
  /// wait for the journal, by default.
  static constexpr std::uint64_t lead = std::uint64_t{1} << 19U;

  [[nodiscard]] bool has(std::uint64_t count) const noexcept {
    const auto upto = planned_ ? planned_->value - 1 : reserved_.value;
    return upto - last_.value >= count;
  }
  /// Gives out `count` ids in a row; the first of them.
  event_id next(std::uint64_t count = 1) noexcept {
    last_.value += count;
    return {last_.value - count + 1};
  }
  [[nodiscard]] event_id last() const noexcept { return last_; }

  /// Plans `count` ids in a row, above all that `next` gives until they are passed; the first of
  /// them. Nothing while so many are not reserved. Nothing else may be planned.
  [[nodiscard]] std::optional<event_id> plan(std::uint64_t count) noexcept {
    if (!has(lead + count))
      return std::nullopt;
    planned_ = event_id{last_.value + lead + 1};
    return planned_;
  }
  /// The ids that are planned are given out.
  void pass_planned(std::uint64_t count) noexcept {
    last_.value = planned_->value + count - 1;
    planned_.reset();
  }

  /// What was planned is not given out: others may get these ids.
  void unplan() noexcept { planned_.reset(); }

  /// The reservation to ask for with this ticket, if it is time and none is under way.
  [[nodiscard]] std::optional<event_id> due(ticket_id ticket) {
    if (asked_ || reserved_.value - last_.value >= reservation / 2)
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
  std::optional<event_id> planned_;
  std::optional<event_id> asked_;
  ticket_id asked_with_ = 0;
};

} // namespace herald
