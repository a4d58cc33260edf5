#include "actors/history/retained_values.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace herald {

std::size_t retained_values::bytes_of(
  std::string_view topic, std::string_view name, std::string_view data) noexcept {
  // The topic stands in the event's audience, too.
  return 2 * topic.size() + name.size() + data.size() + sizeof(event) + sizeof(audience)
         + sizeof(topic_map::value_type);
}

std::size_t retained_values::bytes_of(const topic_map::value_type& one) noexcept {
  return bytes_of(one.first, one.second.value.what->name, one.second.value.what->data);
}

std::optional<std::string> retained_values::violation(std::span<const draft> drafts) const {
  std::map<std::string_view, std::size_t> added;
  for (const auto& d : drafts) {
    if (d.value == retention::keep)
      added.insert_or_assign(d.to->topics.front(), bytes_of(d.to->topics.front(), d.name, d.data));
  }
  auto topics = by_topic_.size();
  auto bytes = bytes_;
  for (const auto& [topic, size] : added) {
    const auto known = by_topic_.find(topic);
    topics += known == by_topic_.end() ? 1U : 0U;
    bytes += size - (known == by_topic_.end() ? 0 : bytes_of(*known));
  }
  if (!added.empty() && topics > limits_.max_topics)
    return "as many topics have a last value as may have one (retain.max_topics)";
  if (!added.empty() && bytes > limits_.max_bytes)
    return "last values would take more room than they may (retain.max_bytes)";
  return std::nullopt;
}

void retained_values::keep(kept_event one) {
  const auto& topic = one.to->topics.front();
  const bool ends = one.ttl.count() != 0;
  const auto end = ends ? ends_.emplace(one.at + one.ttl, topic) : ends_.end();
  try {
    const auto [where, added] = by_topic_.try_emplace(topic);
    if (!added) {
      bytes_ -= bytes_of(*where);
      if (where->second.end != ends_.end())
        ends_.erase(where->second.end);
    }
    where->second = {std::move(one), end};
    bytes_ += bytes_of(*where);
  } catch (...) {
    if (ends)
      ends_.erase(end);
    throw;
  }
}

void retained_values::forget(std::string_view topic) {
  if (const auto found = by_topic_.find(topic); found != by_topic_.end())
    erase(found);
}

void retained_values::erase(topic_map::iterator where) noexcept {
  bytes_ -= bytes_of(*where);
  if (where->second.end != ends_.end())
    ends_.erase(where->second.end);
  by_topic_.erase(where);
}

std::vector<std::string> retained_values::expire(time_point now) {
  // All that can throw comes first: who is not told of a topic would keep what is gone here.
  std::vector<std::string> topics;
  for (auto it = ends_.begin(); it != ends_.end() && it->first <= now; ++it)
    topics.push_back(it->second);
  for (const auto& topic : topics)
    erase(by_topic_.find(topic));
  return topics;
}

retained_values::selection retained_values::select(
  std::span<const std::string> patterns, event_id after, event_id upto, time_point now,
  std::span<const std::string> heard) const {
  selection result;
  auto& values = result.values;
  const auto take = [&](const kept_event& one) {
    const auto hears = [&](const std::string& pattern) {
      return pattern_hears(pattern, one.to->topics.front());
    };
    if (
      one.what->id > after && one.what->id <= upto && !one.expired(now)
      && std::none_of(heard.begin(), heard.end(), hears))
      values.push_back(one);
  };
  for (std::string_view pattern : patterns) {
    if (!pattern.ends_with('*') || (pattern.size() > 1 && !pattern.ends_with("/*"))) {
      if (const auto found = by_topic_.find(pattern); found != by_topic_.end())
        take(found->second.value);
      continue;
    }
    pattern.remove_suffix(1);
    for (auto it = by_topic_.lower_bound(pattern);
         it != by_topic_.end() && it->first.starts_with(pattern); ++it)
      take(it->second.value);
  }
  const auto id = [](const kept_event& one) {
    return one.what->id;
  };
  std::ranges::sort(values, {}, id);
  // Several patterns may hear a topic.
  const auto same = [](const kept_event& a, const kept_event& b) {
    return a.what->id == b.what->id;
  };
  values.erase(std::unique(values.begin(), values.end(), same), values.end());
  if (values.size() > limits_.max_replay) {
    values.erase(
      values.begin(), std::prev(values.end(), static_cast<std::ptrdiff_t>(limits_.max_replay)));
    result.more = true;
  }
  return result;
}

std::optional<std::string> retained_values::check() const {
  std::size_t bytes = 0;
  std::size_t ends = 0;
  for (const auto& one : by_topic_) {
    bytes += bytes_of(one);
    if (one.second.end == ends_.end())
      continue;
    ++ends;
    if (one.second.end->second != one.first)
      return "a last value would be forgotten with another";
  }
  if (bytes != bytes_ || ends != ends_.size())
    return "last values are miscounted";
  return std::nullopt;
}

} // namespace herald
