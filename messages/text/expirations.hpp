#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "messages/text/time.hpp"

namespace herald {

/// Whether a right is over, and the time that clocks may differ by as well: its stream must not be
/// sent anything.
[[nodiscard]] inline bool
is_over(std::optional<wall_time> expires_at, std::chrono::milliseconds grace, wall_time now) {
  return expires_at && *expires_at + grace <= now;
}

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
  /// later. What it was good for before counts no longer; a failure leaves that as it was.
  void add(number stream, wall_time now, wall_time expires_at, milliseconds grace) {
    const entry made{expires_at, expires_at + grace, notice_.count() != 0};
    const auto when = made.untold
                        ? std::max<wall_time>(expires_at - notice_, now + (expires_at - now) / 2)
                        : made.ends_at;
    if (const auto known = by_number_.find(stream); known != by_number_.end()) {
      put_off(*known, when);
      known->second.second = made;
      return;
    }
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
  /// for up to `count` streams that are due; both may remove it. One for which that throws stays
  /// due. True if more are due.
  template <class Tell, class End>
  bool run_slice(std::size_t count, wall_time now, Tell tell, End end) {
    for (; count > 0 && due(now); --count) {
      const auto stream = due_.begin()->second;
      const auto& what = by_number_.find(stream)->second.second;
      if (!what.untold) {
        end(stream);
        remove(stream);
        continue;
      }
      const auto left = std::chrono::duration_cast<milliseconds>(what.expires_at - now);
      tell(stream, std::max(left, milliseconds{0}));
      if (const auto told = by_number_.find(stream); told != by_number_.end()) {
        told->second.second.untold = false;
        put_off(*told, told->second.second.ends_at);
      }
    }
    return due(now);
  }

  [[nodiscard]] bool contains(number stream) const { return by_number_.contains(stream); }
  /// Says what is wrong with it. Between two calls of its methods nothing is.
  [[nodiscard]] std::optional<std::string> check() const {
    for (const auto& [stream, what] : by_number_)
      if (!due_.contains({what.first, stream}))
        return "a right ends, and is not due";
    if (due_.size() != by_number_.size())
      return "what is due has no right that ends";
    return std::nullopt;
  }

private:
  struct entry {
    wall_time expires_at;
    wall_time ends_at;
    bool untold = false;
  };
  using table = std::unordered_map<number, std::pair<wall_time, entry>>;

  /// Makes it due at another time; takes no memory.
  void put_off(table::value_type& which, wall_time when) noexcept {
    auto node = due_.extract({which.second.first, which.first});
    node.value().first = when;
    due_.insert(std::move(node));
    which.second.first = when;
  }

  const milliseconds notice_;
  /// By what is next for them.
  std::set<std::pair<wall_time, number>> due_;
  table by_number_;
};

} // namespace herald
