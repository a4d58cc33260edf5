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
  std::optional<request_id> first;
  if (full) {
    const auto* next = ends_.first();
    if (next == nullptr)
      return false;
    first = *next;
  }
  auto added = ends_.none();
  ends_.put(added, id, until);
  try {
    by_id_.emplace(id, entry{subject, nullptr, added});
  } catch (...) {
    ends_.take_out(added);
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
  ends_.take_out(found->second.end);
}

void page_subjects::closed(const request_id& id, time_point until) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    return;
  ends_.put(found->second.end, id, until);
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
  // All that can throw comes first: who is not told of a page would keep what is gone here.
  auto forgotten = ends_.all_due(now);
  for (const auto& id : forgotten)
    erase(by_id_.find(id));
  return forgotten;
}

void page_subjects::erase(entry_map::iterator where) noexcept {
  ends_.take_out(where->second.end);
  by_id_.erase(where);
}

std::optional<std::string> page_subjects::check() const {
  std::size_t ends = 0;
  for (const auto& [id, one] : by_id_) {
    if (ends_.is_none(one.end))
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
