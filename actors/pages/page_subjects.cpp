#include "actors/pages/page_subjects.hpp"

#include <algorithm>
#include <utility>

#include "actors/pages/revocations.hpp"

namespace herald {

const std::string* page_subjects::find(const request_id& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second.subject;
}

bool page_subjects::bind(
  const request_id& id, const std::string& subject, time_point until,
  std::optional<request_id>& forgotten) {
  const bool full = by_id_.size() >= limit_;
  if (full && ends_.empty())
    return false;
  std::optional<request_id> first;
  if (full)
    first = ends_.begin()->second;
  const auto added = ends_.emplace(until, id);
  try {
    by_id_.emplace(id, entry{subject, nullptr, added});
  } catch (...) {
    ends_.erase(added);
    throw;
  }
  if (first)
    erase(by_id_.find(*first));
  forgotten = std::move(first);
  return true;
}

void page_subjects::opened(const request_id& id, credential_ptr by) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    return;
  found->second.by = std::move(by);
  if (found->second.end == ends_.end())
    return;
  ends_.erase(found->second.end);
  found->second.end = ends_.end();
}

void page_subjects::closed(const request_id& id, time_point until) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    return;
  const auto added = ends_.emplace(until, id);
  if (found->second.end != ends_.end())
    ends_.erase(found->second.end);
  found->second.end = added;
  found->second.by = nullptr;
}

credential_ptr page_subjects::right_of(const request_id& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.by;
}

std::vector<request_id> page_subjects::revoked_by(const revocation& what) const {
  std::vector<request_id> found;
  for (const auto& [id, one] : by_id_)
    if (one.by && revokes(what, *one.by))
      found.push_back(id);
  std::sort(found.begin(), found.end(), [](const request_id& a, const request_id& b) {
    return a.str() < b.str();
  });
  return found;
}

std::vector<request_id> page_subjects::expire(time_point now) {
  std::vector<request_id> forgotten;
  while (!ends_.empty() && ends_.begin()->first <= now) {
    forgotten.push_back(ends_.begin()->second);
    erase(by_id_.find(forgotten.back()));
  }
  return forgotten;
}

void page_subjects::erase(entry_map::iterator where) noexcept {
  if (where->second.end != ends_.end())
    ends_.erase(where->second.end);
  by_id_.erase(where);
}

std::optional<std::string> page_subjects::check() const {
  std::size_t ends = 0;
  for (const auto& [id, one] : by_id_) {
    if (one.end == ends_.end())
      continue;
    ++ends;
    if (one.by)
      return "a page without a stream has a right to one";
    if (one.end->second != id)
      return "the subject of a page would be forgotten with another's";
  }
  if (ends != ends_.size())
    return "subjects of pages are miscounted";
  return std::nullopt;
}

} // namespace herald
