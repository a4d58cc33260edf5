#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>
#include <unordered_map>
#include <utility>

#include "http/fanout/stream_table.hpp"
#include "messages/text/time.hpp"

namespace herald {

/// The streams of a loop whose right comes to an end: each is told some time before, and then
/// ended. Streams without an end cost nothing here. Goes by the clock on the wall, as credentials
/// do: where that is set, so is what is due.
///
/// Knows no clock. For one thread.
class expiring_streams {
public:
  using milliseconds = std::chrono::milliseconds;

  /// `notice` before its end a stream is told; 0: not. One that has less than twice that left is
  /// told at half of it: a page that is told at once, and renews, would do nothing else.
  explicit expiring_streams(milliseconds notice) : notice_(notice) {}

  /// The stream in this slot, which opens `now`, is good until `expires_at`, and ends `grace`
  /// later.
  void add(stream_slot slot, wall_time now, wall_time expires_at, milliseconds grace) {
    remove(slot);
    const entry made{expires_at, expires_at + grace, notice_.count() != 0};
    const auto when = made.untold
                        ? std::max<wall_time>(expires_at - notice_, now + (expires_at - now) / 2)
                        : made.ends_at;
    due_.emplace(when, slot);
    try {
      by_slot_.emplace(slot, std::pair{when, made});
    } catch (...) {
      due_.erase({when, slot});
      throw;
    }
  }
  /// The stream in this slot has ended.
  void remove(stream_slot slot) noexcept {
    const auto found = by_slot_.find(slot);
    if (found == by_slot_.end())
      return;
    due_.erase({found->second.first, slot});
    by_slot_.erase(found);
  }

  [[nodiscard]] std::size_t size() const noexcept { return by_slot_.size(); }
  [[nodiscard]] bool due(wall_time now) const noexcept {
    return !due_.empty() && due_.begin()->first <= now;
  }

  /// Calls `tell(slot, left)` with the time that is left, never less than 0, or `end(slot)`, for up
  /// to `count` streams that are due; both may remove it. True if more are due.
  template <class Tell, class End>
  bool run_slice(std::size_t count, wall_time now, Tell tell, End end) {
    for (; count > 0 && due(now); --count) {
      const auto slot = due_.begin()->second;
      auto& [when, what] = by_slot_.find(slot)->second;
      if (what.untold) {
        due_.emplace(what.ends_at, slot);
        due_.erase({when, slot});
        when = what.ends_at;
        what.untold = false;
        tell(
          slot,
          std::max(
            std::chrono::duration_cast<milliseconds>(what.expires_at - now), milliseconds{0}));
      } else {
        remove(slot);
        end(slot);
      }
    }
    return due(now);
  }

private:
  struct entry {
    wall_time expires_at;
    wall_time ends_at;
    bool untold = false;
  };

  const milliseconds notice_;
  /// By what is next for them.
  std::set<std::pair<wall_time, stream_slot>> due_;
  std::unordered_map<stream_slot, std::pair<wall_time, entry>> by_slot_;
};

} // namespace herald
