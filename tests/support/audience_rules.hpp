#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "messages/audience.hpp"

namespace herald::testing {

/// Whether a stream that asks for `pattern` hears `topic`: segment by segment, as the rule is said.
[[nodiscard]] bool rule_covers(const std::string& pattern, const std::string& topic);

/// Whether an event with this audience (null: everyone) is for a stream that hears this. The rules
/// once more, without a line of herald's.
[[nodiscard]] bool rule_is_for(const audience_ptr& to, const reach& hears);

/// The patterns that are left of `patterns` with a change; what is both added and removed is
/// removed.
[[nodiscard]] std::set<std::string> rule_changed(
  std::set<std::string> patterns, const std::set<std::string>& add,
  const std::set<std::string>& remove);

/// Audiences and reaches drawn from few names, so that they meet often.
class audience_draws {
public:
  /// `below(n)` gives a number from 0 to n - 1; `pages` are the request_ids that are drawn from.
  audience_draws(std::function<std::size_t(std::size_t)> below, std::vector<std::string> pages)
    : below_(std::move(below)),
      pages_(std::move(pages)) {}

  std::string topic();
  std::string pattern();
  std::vector<std::string> patterns(std::size_t most);
  std::string subject() { return "s" + std::to_string(below_(3)); }
  std::string role() { return "role" + std::to_string(below_(3)); }
  const std::string& page() { return pages_.at(below_(pages_.size())); }

  /// An audience with someone in it, or without someone: never null.
  audience_ptr audience();
  /// What a stream asks for; null where it is nothing special.
  reach_ptr asks(std::size_t most_patterns = 3);

private:
  bool chance(std::size_t one_in) { return below_(one_in) == 0; }

  std::function<std::size_t(std::size_t)> below_;
  std::vector<std::string> pages_;
};

} // namespace herald::testing
