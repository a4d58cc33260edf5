#include "actors/pages/page_topics.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

namespace herald {

namespace {

using text_list = std::vector<std::string>;

void tidy(text_list& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

text_list difference(const text_list& from, const text_list& what) {
  text_list result;
  std::set_difference(
    from.begin(), from.end(), what.begin(), what.end(), std::back_inserter(result));
  return result;
}

text_list joined(text_list a, const text_list& b) {
  a.insert(a.end(), b.begin(), b.end());
  tidy(a);
  return a;
}

} // namespace

const page_topics::changes* page_topics::find(const request_id& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second.what;
}

page_topics::changes
page_topics::with(const request_id& id, const text_list& add, const text_list& remove) const {
  const auto* known = find(id);
  const auto before = known != nullptr ? *known : changes{};
  auto more = add;
  auto less = remove;
  tidy(less);
  tidy(more);
  more = difference(more, less);
  return {
    difference(joined(before.added, more), less), difference(joined(before.removed, less), more)};
}

bool page_topics::keep(const request_id& id, changes what) {
  const auto known = by_id_.find(id);
  const auto before = known == by_id_.end() ? 0 : bytes_of(id, known->second.what);
  const auto bytes = bytes_ - before + bytes_of(id, what);
  if (bytes > max_bytes_)
    return false;
  const auto where = by_id_.try_emplace(id, entry{{}, ends_.none()}).first;
  where->second.what = std::move(what);
  bytes_ = bytes;
  opened(id);
  return true;
}

bool page_topics::forget(const request_id& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    return false;
  erase(found);
  return true;
}

void page_topics::opened(const request_id& id) {
  const auto found = by_id_.find(id);
  if (found != by_id_.end())
    ends_.take_out(found->second.end);
}

void page_topics::closed(const request_id& id, time_point until) {
  const auto found = by_id_.find(id);
  if (found != by_id_.end())
    ends_.put(found->second.end, id, until);
}

std::vector<request_id> page_topics::expire(time_point now) {
  // All that can throw comes first: who is not told of a page would keep what is gone here.
  auto forgotten = ends_.all_due(now);
  for (const auto& id : forgotten)
    erase(by_id_.find(id));
  return forgotten;
}

void page_topics::erase(entry_map::iterator where) noexcept {
  bytes_ -= bytes_of(where->first, where->second.what);
  ends_.take_out(where->second.end);
  by_id_.erase(where);
}

std::size_t page_topics::bytes_of(const request_id& id, const changes& what) noexcept {
  const auto sum = [](std::size_t bytes, const std::string& text) {
    return bytes + sizeof(std::string) + text.size();
  };
  const auto texts = std::accumulate(
    what.removed.begin(), what.removed.end(),
    std::accumulate(what.added.begin(), what.added.end(), std::size_t{0}, sum), sum);
  return sizeof(entry_map::value_type) + id.str().size() + texts;
}

std::optional<std::string> page_topics::check() const {
  std::size_t bytes = 0;
  std::size_t ends = 0;
  for (const auto& [id, one] : by_id_) {
    bytes += bytes_of(id, one.what);
    if (ends_.is_none(one.end))
      continue;
    ++ends;
    if (one.end->second != id)
      return "the topics of a page would be forgotten with another's";
  }
  if (bytes != bytes_ || ends != ends_.size())
    return "topics of pages are miscounted";
  return std::nullopt;
}

text_list changed(text_list patterns, const page_topics::changes& by) {
  tidy(patterns);
  return difference(joined(std::move(patterns), by.added), by.removed);
}

} // namespace herald
