#include "actors/pages/kept_away_pages.hpp"

namespace herald {

bool kept_away_pages::keep_away(const request_id& id, time_point until) {
  const auto known = by_id_.find(id);
  if (known == by_id_.end() && by_id_.size() >= limit_)
    return false;
  const auto added = by_time_.emplace(until, id);
  if (known != by_id_.end()) {
    by_time_.erase(known->second);
    known->second = added;
    return true;
  }
  try {
    by_id_.emplace(id, added);
  } catch (...) {
    by_time_.erase(added);
    throw;
  }
  return true;
}

void kept_away_pages::expire(time_point now) {
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    by_id_.erase(by_time_.begin()->second);
    by_time_.erase(by_time_.begin());
  }
}

std::optional<std::string> kept_away_pages::check() const {
  if (by_id_.size() != by_time_.size())
    return "pages that are kept away are miscounted";
  for (auto it = by_time_.begin(); it != by_time_.end(); ++it) {
    const auto found = by_id_.find(it->second);
    if (found == by_id_.end() || found->second != it)
      return "a page that is kept away is not in its place";
  }
  return std::nullopt;
}

} // namespace herald
