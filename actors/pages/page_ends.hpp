#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <vector>

#include "messages/ids.hpp"

namespace herald {

/// The pages that are to be forgotten, in the order of the times for it. Who keeps something of
/// pages holds a place in here for each.
///
/// Pure: time is given in. An operation that throws (out of memory) changes nothing.
class page_ends {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using place = std::multimap<time_point, request_id>::iterator;

  page_ends() = default;
  /// Places are of this object.
  page_ends(const page_ends&) = delete;
  page_ends& operator=(const page_ends&) = delete;
  ~page_ends() = default;

  /// The place of a page that is not to be forgotten.
  [[nodiscard]] place none() noexcept { return all_.end(); }
  [[nodiscard]] bool is_none(std::multimap<time_point, request_id>::const_iterator where) const {
    return where == all_.end();
  }

  /// The page is to be forgotten then, whatever was said before.
  void put(place& where, const request_id& id, time_point until) {
    const auto added = all_.emplace(until, id);
    take_out(where);
    where = added;
  }
  /// It is not to be forgotten.
  void take_out(place& where) noexcept {
    if (where != all_.end())
      all_.erase(where);
    where = all_.end();
  }

  /// The next; null where there is none.
  [[nodiscard]] const request_id* first() const {
    return all_.empty() ? nullptr : &all_.begin()->second;
  }
  /// The next that is due; null where none is.
  [[nodiscard]] const request_id* due(time_point now) const {
    return all_.empty() || all_.begin()->first > now ? nullptr : &all_.begin()->second;
  }

  /// All that are due, the next first.
  [[nodiscard]] std::vector<request_id> all_due(time_point now) const {
    std::vector<request_id> found;
    for (auto it = all_.begin(); it != all_.end() && it->first <= now; ++it)
      found.push_back(it->second);
    return found;
  }

  [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

private:
  std::multimap<time_point, request_id> all_;
};

} // namespace herald
