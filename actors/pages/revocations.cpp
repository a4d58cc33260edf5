#include "actors/pages/revocations.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace herald {

namespace {

/// A credential that does not say when it was issued was so before any time.
bool is_before(const std::optional<wall_time>& issued_at, wall_time time) {
  return !issued_at || *issued_at < time;
}

} // namespace

bool revokes(const revocation& what, const credential& one) {
  if (!what.credential_id.empty())
    return what.credential_id == one.id;
  return what.subject == one.subject && is_before(one.issued_at, what.issued_before);
}

std::size_t revocations::name_hash::operator()(const name& n) const noexcept {
  // One of the two is empty.
  const std::hash<std::string> hash;
  return n.subject.empty() ? hash(n.credential_id) : ~hash(n.subject);
}

std::optional<revocation_kept> revocations::add(const revocation& what, wall_time until) {
  const name key{what.credential_id, what.credential_id.empty() ? what.subject : std::string{}};
  const auto known = by_name_.find(key);
  if (known == by_name_.end() && by_name_.size() >= limit_)
    return std::nullopt;
  auto before = what.issued_before;
  if (known != by_name_.end()) {
    before = std::max(before, known->second.issued_before);
    until = std::max(until, known->second.end->first);
  }
  // What is given takes memory, too: none is taken once it is kept.
  revocation_kept kept{{key.credential_id, key.subject, before}, until};
  const auto added = by_time_.emplace(until, key);
  if (known != by_name_.end()) {
    by_time_.erase(known->second.end);
    known->second = {before, added};
  } else {
    try {
      by_name_.emplace(key, entry{before, added});
    } catch (...) {
      by_time_.erase(added);
      throw;
    }
  }
  return kept;
}

bool revocations::covers(const credential& one) const {
  if (by_name_.empty())
    return false;
  if (!one.id.empty() && by_name_.contains({one.id, {}}))
    return true;
  const auto found = by_name_.find({{}, one.subject});
  return found != by_name_.end() && is_before(one.issued_at, found->second.issued_before);
}

std::vector<revocation_dropped> revocations::expire(wall_time now) {
  // All that can throw comes first: who is not told of one would keep what is gone here.
  std::vector<revocation_dropped> forgotten;
  const auto end = by_time_.upper_bound(now);
  for (auto it = by_time_.begin(); it != end; ++it)
    forgotten.push_back({it->second.credential_id, it->second.subject});
  for (auto it = by_time_.begin(); it != end; it = by_time_.erase(it))
    by_name_.erase(it->second);
  return forgotten;
}

std::optional<std::string> revocations::check() const {
  if (by_name_.size() != by_time_.size())
    return "revocations are miscounted";
  for (auto it = by_time_.begin(); it != by_time_.end(); ++it) {
    const auto found = by_name_.find(it->second);
    if (found == by_name_.end() || found->second.end != it)
      return "a revocation is not in its place";
  }
  return std::nullopt;
}

} // namespace herald
