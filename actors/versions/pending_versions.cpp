#include "actors/versions/pending_versions.hpp"

namespace herald {

std::size_t pending_versions::cost(const entry& one) noexcept {
  // Of a node of the list and one of the map, which has the id once more.
  constexpr std::size_t nodes = sizeof(entry) + sizeof(request_id) + 8 * sizeof(void*);
  const auto& [id, version] = one;
  return nodes + 2 * id.str().size() + version.version.size()
         + (version.changelog ? version.changelog->size() : 0);
}

bool pending_versions::too_many() const noexcept {
  return by_id_.size() > limit_ || (bytes_ > max_bytes_ && by_id_.size() > 1);
}

std::vector<request_id> pending_versions::put(const request_id& id, pending_version version) {
  std::list<entry> made;
  made.emplace_back(id, std::move(version));
  const auto [known, fresh] = by_id_.try_emplace(id, made.begin());
  if (!fresh) {
    bytes_ -= cost(*known->second);
    oldest_first_.erase(known->second);
    known->second = made.begin();
  }
  bytes_ += cost(made.front());
  oldest_first_.splice(oldest_first_.end(), made);

  std::vector<request_id> evicted;
  while (too_many()) {
    evicted.push_back(oldest_first_.front().first);
    bytes_ -= cost(oldest_first_.front());
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
  if (by_id_.size() != oldest_first_.size() || too_many())
    return "pending versions are lost or too many";
  std::size_t bytes = 0;
  for (auto place = oldest_first_.begin(); place != oldest_first_.end(); ++place) {
    bytes += cost(*place);
    const auto known = by_id_.find(place->first);
    if (known == by_id_.end() || known->second != place)
      return "a pending version is not in its place";
  }
  if (bytes != bytes_)
    return "bytes of pending versions are miscounted";
  return std::nullopt;
}

} // namespace herald
