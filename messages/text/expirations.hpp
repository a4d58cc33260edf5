#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "messages/text/time.hpp"

namespace herald {

/// Ends of what has a number, as a stream whose right comes to an end: each is told some time
/// before, and then ended. What has no end costs nothing here. Goes by the clock on the wall, as
/// credentials do: where that is set, so is what is due.
///
/// Knows no clock. For one thread.
class expirations {
public:
  using milliseconds = std::chrono::milliseconds;
  using number = std::uint32_t;

  /// `notice` before its end a stream is told; 0: not. One that has less than twice that left is
  /// told at half of it: a page that is told at once, and renews, would do nothing else.
  explicit expirations(milliseconds notice) : notice_(notice) {}

  /// The stream of this number, which opens `now`, is good until `expires_at`, and ends `grace`
  /// later.
  void add(number stream, wall_time now, wall_time expires_at, milliseconds grace) {
    remove(stream);
    const entry made{expires_at, expires_at + grace, notice_.count() != 0};
    const auto when = made.untold
                        ? std::max<wall_time>(expires_at - notice_, now + (expires_at - now) / 2)
                        : made.ends_at;
    due_.emplace(when, stream);
    try {
      by_number_.emplace(stream, std::pair{when, made});
    } catch (...) {
      due_.erase({when, stream});
      throw;
    }
  }
  /// The stream of this number has ended.
  void remove(number stream) noexcept {
    const auto found = by_number_.find(stream);
    if (found == by_number_.end())
      return;
    due_.erase({found->second.first, stream});
    by_number_.erase(found);
  }

  /// When something is due; nothing where no right has an end.
  [[nodiscard]] std::optional<wall_time> next_due() const {
    return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
  }
  [[nodiscard]] std::size_t size() const noexcept { return by_number_.size(); }
  [[nodiscard]] bool due(wall_time now) const noexcept {
    return !due_.empty() && due_.begin()->first <= now;
  }

  /// Calls `tell(stream, left)` with the time that is left, never less than 0, or `end(stream)`,
  /// for up to `count` streams that are due; both may remove it. True if more are due.
  template <class Tell, class End>
  bool run_slice(std::size_t count, wall_time now, Tell tell, End end) {
    for (; count > 0 && due(now); --count) {
      const auto stream = due_.begin()->second;
      auto& [when, what] = by_number_.find(stream)->second;
      if (what.untold) {
        due_.emplace(what.ends_at, stream);
        due_.erase({when, stream});
        when = what.ends_at;
        what.untold = false;
        tell(
          stream,
          std::max(
            std::chrono::duration_cast<milliseconds>(what.expires_at - now), milliseconds{0}));
      } else {
        remove(stream);
        end(stream);
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
  std::set<std::pair<wall_time, number>> due_;
  std::unordered_map<number, std::pair<wall_time, entry>> by_number_;
};

} // namespace herald
