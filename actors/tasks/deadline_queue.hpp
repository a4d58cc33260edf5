#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace herald {

/// Moments that something waits for, at most one per key. Pure: somebody else has the clock.
template <class Key>
class deadline_queue {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Replaces an earlier moment of the key.
  void set(const Key& key, time_point when) {
    const auto [place, added] = by_time_.emplace(when, key);
    if (!added)
      return;
    try {
      const auto [known, fresh] = by_key_.try_emplace(key, when);
      if (!fresh) {
        by_time_.erase({known->second, key});
        known->second = when;
      }
    } catch (...) {
      by_time_.erase(place);
      throw;
    }
  }

  /// False if the key had no moment.
  bool drop(const Key& key) {
    const auto known = by_key_.find(key);
    if (known == by_key_.end())
      return false;
    by_time_.erase({known->second, key});
    by_key_.erase(known);
    return true;
  }

  /// The earliest moment.
  [[nodiscard]] std::optional<time_point> next() const {
    if (by_time_.empty())
      return std::nullopt;
    return by_time_.begin()->first;
  }

  /// Takes the earliest key whose moment has come.
  [[nodiscard]] std::optional<Key> take_due(time_point now) {
    if (by_time_.empty() || by_time_.begin()->first > now)
      return std::nullopt;
    auto key = by_time_.begin()->second;
    drop(key);
    return key;
  }

private:
  std::set<std::pair<time_point, Key>> by_time_;
  std::map<Key, time_point> by_key_;
};

} // namespace herald
