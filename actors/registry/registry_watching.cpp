// What the watcher is told of streams and topics.

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "actors/registry/registry_inside.hpp"

namespace herald {

namespace {

bool has(const std::vector<std::string>& sorted, const std::string& one) {
  return std::binary_search(sorted.begin(), sorted.end(), one);
}

stream_change about_topic(stream_change::kind what, wall_time at, const std::string& topic) {
  stream_change change{what, at};
  change.topic = topic;
  return change;
}

} // namespace

std::optional<stream_facts> connection_registry::facts_of(const token& stream) const {
  if (!state_->watcher)
    return std::nullopt;
  auto view = state_->table.view(stream);
  if (!view)
    return std::nullopt;
  return stream_facts{
    view->stream,
    std::move(view->id),
    std::move(view->hears.subject),
    std::move(view->hears.patterns),
    std::move(view->client.address),
    view->connected_at};
}

std::optional<stream_facts>
connection_registry::facts_of(const std::optional<connection>& open) const {
  return open ? facts_of(open->stream) : std::nullopt;
}

void connection_registry::watch_streams(
  const std::vector<std::pair<std::optional<stream_facts>, std::string_view>>& closed,
  const std::optional<stream_facts>& opened) {
  using kind = stream_change::kind;
  auto& changes = state_->changes;
  const auto at = std::chrono::system_clock::now();
  const auto listens = [&opened](const std::string& topic) {
    return opened && has(opened->topics, topic);
  };
  std::vector<std::string> left;
  for (const auto& [stream, reason] : closed)
    if (stream) {
      changes.push_back({kind::closed, at, *stream, std::string{reason}});
      std::ranges::copy_if(stream->topics, std::back_inserter(left), std::not_fn(listens));
    }
  std::ranges::sort(left);
  left.erase(std::unique(left.begin(), left.end()), left.end());
  for (const auto& topic : left)
    if (state_->table.listeners(topic) == 0)
      changes.push_back(about_topic(kind::vacated, at, topic));
  if (!opened)
    return;
  changes.push_back({kind::opened, at, *opened});
  for (const auto& topic : opened->topics) {
    // One that another stream has had until now was not vacant.
    const bool had = std::ranges::any_of(
      closed, [&](const auto& one) { return one.first && has(one.first->topics, topic); });
    if (!had && state_->table.listeners(topic) == 1)
      changes.push_back(about_topic(kind::occupied, at, topic));
  }
}

/// After a stream has changed what it listens to, from the patterns `before`, which are sorted.
void connection_registry::watch_topics(
  const token& stream, const std::vector<std::string>& before) {
  const auto facts = facts_of(stream);
  if (!facts || facts->topics == before)
    return;
  using kind = stream_change::kind;
  auto& changes = state_->changes;
  const auto at = std::chrono::system_clock::now();
  changes.push_back({kind::retuned, at, *facts});
  for (const auto& topic : before)
    if (!has(facts->topics, topic) && state_->table.listeners(topic) == 0)
      changes.push_back(about_topic(kind::vacated, at, topic));
  for (const auto& topic : facts->topics)
    if (!has(before, topic) && state_->table.listeners(topic) == 1)
      changes.push_back(about_topic(kind::occupied, at, topic));
}

void connection_registry::watch_adopted(const token& stream) {
  if (auto facts = facts_of(stream))
    state_->changes.push_back(
      {stream_change::kind::adopted, std::chrono::system_clock::now(), std::move(*facts)});
}

void connection_registry::tell_watcher() {
  if (!state_->changes.empty())
    caf::anon_send(state_->watcher, streams_changed{std::exchange(state_->changes, {})});
}

} // namespace herald
