#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/history/retention_limits.hpp"
#include "messages/events.hpp"
#include "messages/history.hpp"

namespace herald {

/// The last event of each topic that was published to be kept. Pure: time is given in. An operation
/// that throws (out of memory) changes nothing.
class retained_values {
public:
  using time_point = kept_event::time_point;

  explicit retained_values(const retention_limits& limits) : limits_(limits) {}

  /// Why drafts cannot be kept, all of them, or nothing: the limit that would be passed.
  [[nodiscard]] std::optional<std::string> violation(std::span<const draft> drafts) const;

  /// The event is the value of its topic, its only one, from now on.
  void keep(kept_event one);
  /// The topic has no value from now on.
  void forget(std::string_view topic);
  /// Forgets values whose time to live is over. Gives their topics.
  std::vector<std::string> expire(time_point now);

  struct selection {
    /// In the order of their ids.
    std::vector<kept_event> values;
    /// There are older ones, too many to give.
    bool more = false;
  };
  /// The values that any of the patterns hears, and none of `heard`, of those with ids above
  /// `after` and up to `upto`; the newest where they are too many.
  [[nodiscard]] selection select(
    std::span<const std::string> patterns, event_id after, event_id upto, time_point now,
    std::span<const std::string> heard = {}) const;

  [[nodiscard]] std::size_t size() const noexcept { return by_topic_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Where its parts do not agree: what is wrong.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  /// The topics of values that have a time to live, by its end.
  using time_list = std::multimap<time_point, std::string>;
  struct entry {
    kept_event value;
    time_list::iterator end;
  };
  using topic_map = std::map<std::string, entry, std::less<>>;

  [[nodiscard]] static std::size_t
  bytes_of(std::string_view topic, std::string_view name, std::string_view data) noexcept;
  [[nodiscard]] static std::size_t bytes_of(const topic_map::value_type& one) noexcept;
  void erase(topic_map::iterator where) noexcept;

  retention_limits limits_;
  topic_map by_topic_;
  time_list ends_;
  std::size_t bytes_ = 0;
};

} // namespace herald
