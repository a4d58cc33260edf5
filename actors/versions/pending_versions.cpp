#include "actors/versions/pending_versions.hpp"

namespace herald {

std::size_t pending_versions::cost(const entry& one) noexcept {
  // Of a node of the list and one of the map, which has the id once more.
  constexpr std::size_t nodes = sizeof(entry) + sizeof(request_id) + 8 * sizeof(void*);
  const auto& [id, version] = one;
  return nodes + 2 * id.str().size() + version.version.size()
         + (version.changelog ? version.changelog->size() : 0);
}

bool pending_versions::too_many(std::size_t count, std::size_t bytes) const noexcept {
  return count > limit_ || (bytes > max_bytes_ && count > 1);
}

std::vector<request_id> pending_versions::put(const request_id& id, pending_version version) {
  // All that can throw comes first: whose versions have to go, and a place for this one.
  std::list<entry> made;
  made.emplace_back(id, std::move(version));
  const auto former = by_id_.find(id);
  const bool fresh = former == by_id_.end();
  auto count = by_id_.size() + (fresh ? 1U : 0U);
  auto bytes = bytes_ + cost(made.front()) - (fresh ? 0 : cost(*former->second));
  std::vector<request_id> evicted;
  for (auto one = oldest_first_.begin(); one != oldest_first_.end() && too_many(count, bytes);
       ++one) {
    if (!fresh && one == former->second)
      continue;
    evicted.push_back(one->first);
    --count;
    bytes -= cost(*one);
  }
  auto& place = by_id_.try_emplace(id, oldest_first_.end()).first->second;

  if (!fresh)
    oldest_first_.erase(place);
  place = made.begin();
  for (const auto& gone : evicted) {
    const auto found = by_id_.find(gone);
    oldest_first_.erase(found->second);
    by_id_.erase(found);
  }
  oldest_first_.splice(oldest_first_.end(), made);
  bytes_ = bytes;
  return evicted;
}

const pending_version* pending_versions::find(const request_id& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second->second;
}

std::optional<std::string> pending_versions::check() const {
  if (by_id_.size() != oldest_first_.size() || too_many(by_id_.size(), bytes_))
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
