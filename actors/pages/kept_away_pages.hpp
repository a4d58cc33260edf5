#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include "actors/pages/page_ends.hpp"
#include "messages/ids.hpp"

namespace herald {

/// The pages that must not open a stream for a time, by request_id. At most `limit`.
///
/// Pure: the caller gives the time. An operation that throws (out of memory) changes nothing.
class kept_away_pages {
public:
  using time_point = page_ends::time_point;

  explicit kept_away_pages(std::size_t limit) : limit_(limit) {}

  /// Keeps the page away until then; a later call for it replaces an earlier one. False, and
  /// nothing changes, where there are as many already.
  bool keep_away(const request_id& id, time_point until);
  /// Forgets those whose time is over.
  void expire(time_point now);

  /// Whether a page is kept away, as of the last `expire`.
  [[nodiscard]] bool contains(const request_id& id) const { return by_id_.contains(id); }
  [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }

  /// What is wrong with it, or nothing.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  std::size_t limit_;
  page_ends ends_;
  std::unordered_map<request_id, page_ends::place> by_id_;
};

} // namespace herald
