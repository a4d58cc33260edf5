#include "actors/pages/kept_away_pages.hpp"

namespace herald {

bool kept_away_pages::keep_away(const request_id& id, time_point until) {
  const auto known = by_id_.find(id);
  if (known != by_id_.end()) {
    ends_.put(known->second, id, until);
    return true;
  }
  if (by_id_.size() >= limit_)
    return false;
  auto added = ends_.none();
  ends_.put(added, id, until);
  try {
    by_id_.emplace(id, added);
  } catch (...) {
    ends_.take_out(added);
    throw;
  }
  return true;
}

void kept_away_pages::expire(time_point now) {
  while (const auto* due = ends_.due(now)) {
    const auto found = by_id_.find(*due);
    ends_.take_out(found->second);
    by_id_.erase(found);
  }
}

std::optional<std::string> kept_away_pages::check() const {
  if (by_id_.size() != ends_.size())
    return "pages that are kept away are miscounted";
  for (const auto& [id, end] : by_id_)
    if (ends_.is_none(end) || end->second != id)
      return "a page that is kept away is not in its place";
  return std::nullopt;
}

} // namespace herald
