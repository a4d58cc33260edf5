#include "actors/versions/pending_versions.hpp"

namespace herald {

std::vector<request_id> pending_versions::put(const request_id& id, pending_version version) {
  std::list<entry> made;
  made.emplace_back(id, std::move(version));
  const auto [known, fresh] = by_id_.try_emplace(id, made.begin());
  if (!fresh) {
    oldest_first_.erase(known->second);
    known->second = made.begin();
  }
  oldest_first_.splice(oldest_first_.end(), made);

  std::vector<request_id> evicted;
  while (by_id_.size() > limit_) {
    evicted.push_back(oldest_first_.front().first);
    by_id_.erase(evicted.back());
    oldest_first_.pop_front();
  }
  return evicted;
}

const pending_version* pending_versions::find(const request_id& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second->second;
}

std::optional<std::string> pending_versions::check() const {
  if (by_id_.size() != oldest_first_.size() || by_id_.size() > limit_)
    return "pending versions are lost or too many";
  for (auto place = oldest_first_.begin(); place != oldest_first_.end(); ++place) {
    const auto known = by_id_.find(place->first);
    if (known == by_id_.end() || known->second != place)
      return "a pending version is not in its place";
  }
  return std::nullopt;
}

} // namespace herald
