// Who hears what: topics of streams, last values, looking back.

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/registry/registry_inside.hpp"

namespace herald {

namespace {

/// Of data, and its event, a page of the history ends beyond.
constexpr std::size_t page_bytes = std::size_t{4} << 20U;

constexpr event_id before_all{};

constexpr const char* too_many_values =
  R"({"reason":"more topics have a last value than are given at once"})";

} // namespace

/// What a stream hears: what it asks for, and where it comes back, what its page has changed of
/// that.
reach_ptr connection_registry::reach_for(const open_connection& command) {
  auto& state = *state_;
  forget_topics();
  if (command.last_event_id)
    return reach_with_changes(command.id, command.asks, command.by);
  if (state.topics.forget(command.id))
    record_topics(command.id);
  return command.asks;
}

/// What a stream hears that goes on where its page has left off.
reach_ptr connection_registry::reach_with_changes(
  const request_id& id, const reach_ptr& asks, const credential_ptr& by) {
  auto& topics = state_->topics;
  const auto* changes = topics.find(id);
  if (changes == nullptr)
    return asks;
  auto hears = asks ? *asks : reach{};
  hears.patterns = changed(std::move(hears.patterns), *changes);
  // It may be another credential than the one under which they were added.
  if (by)
    std::erase_if(
      hears.patterns, [&](const std::string& pattern) { return !covers(by->topics, pattern); });
  topics.opened(id);
  return hears.plain() ? nullptr : std::make_shared<const reach>(std::move(hears));
}

/// What an open stream hears, as a transport is told it.
reach_ptr connection_registry::reach_of(const token& stream) const {
  auto hears = state_->table.reach_of(stream).value_or(reach{});
  hears.page = {};
  return hears.plain() ? nullptr : std::make_shared<const reach>(std::move(hears));
}

missed_events connection_registry::beginning_of(
  const open_connection& command, const reach_ptr& hears, const event_history::missed& missed) {
  auto& state = *state_;
  std::vector<event_ptr> first;
  bool more = false;
  if (hears && !hears->patterns.empty() && state.values.size() != 0) {
    // What comes in the replay comes there.
    const auto cursor =
      command.last_event_id ? parse_event_id(*command.last_event_id) : std::nullopt;
    const bool known = cursor && *cursor <= state.ids.last();
    const auto upto = known ? missed.gap.value_or(*cursor) : state.ids.last();
    expire_values();
    auto found = state.values.select(hears->patterns, known ? *cursor : before_all, upto, now());
    for (auto& value : found.values)
      first.push_back(std::move(value.what));
    more = found.more;
  }
  if (missed.gap || more) {
    numbers_.gaps.Increment();
    first.push_back(notice_event(
      "gap",
      missed.gap ? R"({"reason":"events after your last one are not kept any more"})"
                 : too_many_values,
      missed.gap.value_or(event_id{})));
  }
  if (first.empty() && !missed.range.blocks)
    return {};
  auto who = hears ? *hears : reach{};
  who.page = command.id;
  who.targeted = !command.by || command.by->targeted;
  return {std::move(first), missed.range, std::move(who), now()};
}

result<topics_changed> connection_registry::on_topics(const change_topics& command) {
  auto& state = *state_;
  forget_topics();
  const auto open = state.table.find(command.id);
  if (!open)
    return fail(ec::no_such_connection, "no stream is open for this request_id", "request_id");
  if (const auto by = state.subjects.right_of(command.id))
    for (const auto& pattern : command.add)
      if (!covers(by->topics, pattern))
        return fail(ec::forbidden, "its stream may not listen to " + pattern, "add");
  auto hears = *state.table.reach_of(open->stream);
  const auto before = hears.patterns;
  page_topics::changes now_changed{command.add, command.remove};
  std::sort(now_changed.added.begin(), now_changed.added.end());
  std::sort(now_changed.removed.begin(), now_changed.removed.end());
  hears.patterns = changed(std::move(hears.patterns), now_changed);
  if (hears.patterns.size() > state.limits.max_topics)
    return fail(
      ec::invalid_field,
      "would be more than " + std::to_string(state.limits.max_topics)
        + " topics (stream.max_topics)",
      "add");
  if (!command.add.empty() && !room_for({{}, {}, {}, command.add, true}))
    return fail(ec::overloaded, "streams listen to too much (stream.max_topics_bytes)");
  if (!state.topics.keep(command.id, state.topics.with(command.id, command.add, command.remove))) {
    numbers_.topic_changes_refused.Increment();
    return fail(
      ec::overloaded, "pages have changed too many topics (stream.max_topic_changes_bytes)");
  }
  state.table.set_reach(open->stream, hears);
  watch_topics(open->stream, before);
  tell_watcher();
  record_topics(command.id);

  std::vector<std::string> added;
  std::set_difference(
    hears.patterns.begin(), hears.patterns.end(), before.begin(), before.end(),
    std::back_inserter(added));
  expire_values();
  // What a pattern that it had before hears was given then.
  auto values = state.values.select(added, before_all, state.ids.last(), now(), before);
  change_reach order{open->stream, nullptr, {}, state.ids.last()};
  for (auto& value : values.values)
    order.values.push_back(std::move(value.what));
  if (values.more) {
    numbers_.gaps.Increment();
    order.values.push_back(notice_event("gap", too_many_values));
  }
  topics_changed answer{std::move(hears.patterns), state.ids.last()};
  order.hears = reach_of(open->stream);
  caf::anon_send(state.transports[open->via].via, std::move(order));
  return answer;
}

/// Forgets what pages have changed that have been away for too long.
void connection_registry::forget_topics() {
  for (const auto& id : state_->topics.expire(now()))
    record_topics(id);
}

/// Counts and records what a page has changed, or that it has changed nothing.
void connection_registry::record_topics(const request_id& id) {
  count_topic_changes();
  if (!state_->journal)
    return;
  std::vector<journal_entry> entries;
  if (const auto* changes = state_->topics.find(id))
    entries.emplace_back(
      topics_kept{id, changes->added, changes->removed, std::chrono::system_clock::now()});
  else
    entries.emplace_back(topics_dropped{id});
  record(std::move(entries));
}

void connection_registry::count_topic_changes() {
  numbers_.topic_changes_bytes.Set(static_cast<double>(state_->topics.bytes()));
}

void connection_registry::expire_values() {
  std::vector<journal_entry> entries;
  for (auto& topic : state_->values.expire(now()))
    entries.emplace_back(value_dropped{std::move(topic)});
  if (state_->journal && !entries.empty())
    record(std::move(entries));
  numbers_.values.Set(static_cast<double>(state_->values.size()));
  numbers_.value_bytes.Set(static_cast<double>(state_->values.bytes()));
}

connections_ended connection_registry::on_close_all(const close_connections& command) {
  const auto all = state_->table.of_subject(command.subject);
  for (const auto& one : all)
    close(one);
  tell_watcher();
  return {all.size()};
}

topic_page connection_registry::on_list_topics(const list_topics& query) {
  return state_->table.topics(query.after, query.limit);
}

event_page connection_registry::on_look_back(const list_events& query) {
  auto& state = *state_;
  count_history(state.history.expire(now()));
  state.history.pass(state.ids.last());
  const auto missed = state.history.since(query.after.value_or(state.history.floor()));
  const auto here = now();
  const auto wall = std::chrono::system_clock::now();
  event_page page;
  page.gap = missed.gap.has_value();
  page.last = state.ids.last();
  std::size_t bytes = 0;
  history_walk walk{missed.range};
  for (; !walk.at_end(); walk.step(missed.range)) {
    const auto& one = walk.here(missed.range);
    if (one.expired(here) || (query.who && !query.who->hears(one.to)))
      continue;
    if (page.events.size() == query.limit || bytes > page_bytes) {
      page.last = page.events.back().event.what->id;
      break;
    }
    bytes += one.what->data.size();
    page.events.push_back(
      {one, wall - std::chrono::duration_cast<std::chrono::system_clock::duration>(here - one.at)});
  }
  return page;
}

} // namespace herald
