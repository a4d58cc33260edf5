#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "messages/events.hpp"
#include "messages/history.hpp"

namespace herald {

/// The last events, in their order, and what a stream has missed since its cursor. Pure: time is
/// given in.
///
/// Events lie in blocks that readers share, however many come back at once. A block is let go when
/// all in it is evicted and the last reader is through, so that memory stays within a few percent
/// of the limits, and what slow readers still hold.
class event_history {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `last` is the id before the first event that will ever be appended.
  event_history(const history_limits& limits, event_id last);

  /// Keeps an event; its id is greater than all before. Gives how many others were evicted.
  std::size_t append(kept_event what);
  /// The same for one that is published now, for as long as it is kept.
  std::size_t append(event_ptr what, audience_ptr to, time_point now) {
    return append({std::move(what), std::move(to), {}, now});
  }

  /// Goes past the ids up to `id`, which name events that are not worth keeping.
  void pass(event_id id) { last_passed_ = id; }

  /// Keeps no more than this from now on. Gives how many were evicted.
  std::size_t limit(const history_limits& limits, time_point now);

  /// Evicts what is too old by now. Gives how many.
  std::size_t expire(time_point now);

  struct missed {
    /// Set where events after the cursor were evicted, or the cursor is not one of ours: what
    /// follows is not all. The id to name in the gap: everything after it follows.
    std::optional<event_id> gap;
    /// Where the events are; those for others are among them.
    history_range range;
    /// The events `version` among them.
    std::vector<event_ptr> versions;
  };

  /// What the streams have not had that have had everything up to `cursor` (nothing: the cursor is
  /// not understood). A cursor that nobody was given says nothing of what its stream has had: a
  /// gap up to now, and no event.
  [[nodiscard]] missed since(std::optional<event_id> cursor);

  [[nodiscard]] std::size_t size() const noexcept { return marks_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Whether all of its parts agree.
  [[nodiscard]] bool check() const;
  /// Everything after it that was worth keeping is kept.
  [[nodiscard]] event_id floor() const noexcept { return floor_; }

private:
  struct mark {
    event_id id;
    time_point at;
    std::size_t bytes = 0;
  };
  struct block {
    std::shared_ptr<history_block> events;
    /// The place of its first event, counted from the first ever appended.
    std::size_t start = 0;
    std::size_t bytes = 0;
  };

  block& open_block();
  std::shared_ptr<const history_range::block_list> block_list();
  std::size_t evict_surplus();
  void evict_oldest();
  [[nodiscard]] event_id last() const;

  history_limits limits_;
  std::size_t block_events_ = 0;
  std::size_t block_bytes_ = 0;
  std::deque<block> blocks_;
  /// The same for readers, made when it is asked for; null when it has to be made anew.
  std::shared_ptr<const history_range::block_list> list_;
  /// One for each event that is kept.
  std::deque<mark> marks_;
  std::size_t evicted_ = 0;
  std::size_t bytes_ = 0;
  /// The last evicted event: nothing up to it can be replayed.
  event_id floor_;
  event_id last_passed_;
  /// The events `version` that are kept.
  std::deque<event_ptr> versions_;
};

} // namespace herald
