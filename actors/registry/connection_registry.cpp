#include "actors/registry/connection_registry.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "actors/registry/registry_inside.hpp"
#include "actors/supervision/tell_refused.hpp"

namespace herald {

namespace {

constexpr const char* component = "connection-registry";

event_id first_event_id() {
  using namespace std::chrono;
  const auto now = system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(duration_cast<microseconds>(now).count())};
}

} // namespace

connection_registry::connection_registry(
  self_type self, std::shared_ptr<registry_state> state, metrics& numbers)
  : self_(self),
    state_(std::move(state)),
    numbers_(numbers) {
  if (!state_->table.check())
    throw state_damaged("connection table out of step");
  if (!state_->history.check())
    throw state_damaged("event history out of step");
  for (const auto& damage :
       {state_->kept_away.check(), state_->values.check(), state_->topics.check(),
        state_->subjects.check(), state_->revoked.check()})
    if (damage)
      throw state_damaged(*damage);
  count_connections();
  count_history(0);
  count_topic_changes();
  numbers_.bindings.Set(static_cast<double>(state_->subjects.size()));
  numbers_.revocations.Set(static_cast<double>(state_->revoked.size()));
}

connection_registry::shell_type::behavior_type connection_registry::behavior(shell_type& s) {
  return {
    s.refusable(&connection_registry::on_open, {.tell = tell_refused}),
    s.refusable(&connection_registry::on_open_all, {.tell = tell_all_refused}),
    s.repeatable(&connection_registry::on_closed),
    s.repeatable(&connection_registry::on_failed),
    s.repeatable(&connection_registry::on_settled),
    s.refusable(&connection_registry::on_send),
    s.refusable(&connection_registry::on_publish, {.applies = is_from_outside}),
    s.on(&connection_registry::on_publish_recorded),
    s.repeatable(&connection_registry::on_step),
    s.repeatable(&connection_registry::on_again),
    s.repeatable(&connection_registry::on_wait_over),
    s.repeatable(&connection_registry::on_recorded),
    s.repeatable(&connection_registry::on_observer),
    s.refusable(&connection_registry::on_list),
    s.refusable(&connection_registry::on_close),
    s.refusable(&connection_registry::on_close_all),
    s.on(&connection_registry::on_revoke),
    s.refusable(&connection_registry::on_topics),
    s.refusable(&connection_registry::on_list_topics),
    s.refusable(&connection_registry::on_look_back),
    s.repeatable(&connection_registry::on_release),
    s.repeatable(&connection_registry::on_adopt),
    s.repeatable(&connection_registry::on_history),
    s.on(&connection_registry::on_shutdown),
    s.on(&connection_registry::on_flush),
    s.control(),
  };
}

result<void> connection_registry::on_open(const open_connection& command) {
  opened_streams opened;
  auto answer = open(command, opened);
  tell_opened(opened);
  tell_watcher();
  count_connections();
  return answer;
}

void connection_registry::on_open_all(const open_connections& command) {
  opened_streams opened;
  try {
    for (const auto& one : command.all)
      (void)open(one, opened);
  } catch (...) {
    // The streams before the one that threw are open.
    tell_opened(opened);
    throw;
  }
  tell_opened(opened);
  tell_watcher();
  count_connections();
}

result<void> connection_registry::open(const open_connection& command, opened_streams& opened) {
  if (is_kept_away(command.id)) {
    const failure why{ec::kept_away, "this page must stay away for now", "request_id"};
    tell_refused(command, why);
    return fail(why.code, why.detail, why.field);
  }
  const auto known = state_->table.find(command.stream);
  if (command.asks && !known && !room_for(*command.asks)) {
    const failure why{
      ec::overloaded, "streams listen to too much (stream.max_topics_bytes)", "topic"};
    tell_refused(command, why);
    return fail(why.code, why.detail, why.field);
  }
  if (const auto why = claim_page(command)) {
    tell_refused(command, *why);
    return fail(why->code, why->detail, why->field);
  }
  const auto via = index_of(command.via, command.transport);
  event_history::missed missed;
  if (command.last_event_id && !known)
    missed = missed_since(*command.last_event_id);
  const bool repeated = known && known->id == command.id;
  const auto hears = repeated ? reach_of(command.stream) : reach_for(command);
  auto first = known ? missed_events{} : beginning_of(command, hears, missed);
  auto replayed_versions = std::move(missed.versions);
  if (hears && !hears->broadcast)
    replayed_versions.clear();
  const bool watched = state_->watcher && !repeated;
  const auto over = watched ? facts_of(state_->table.find(command.id)) : std::nullopt;
  const auto moved = watched ? facts_of(known) : std::nullopt;
  static const client_details unknown;
  const auto& client = command.client ? *command.client : unknown;
  const auto replaced = state_->table.open(
    {command.id.str(), command.stream, shown_path(command.url), command.transport, via,
     std::chrono::system_clock::now(), hears, !command.by || command.by->targeted, client.address,
     client.agent});
  page_opened(command);
  if (watched)
    watch_streams(
      {{replaced ? over : std::nullopt, to_string(close_reason::replaced)},
       {moved, to_string(end_reason::server_closed)}},
      facts_of(command.stream));
  if (known && !repeated) {
    numbers_.disconnects.Increment();
    page_closed(known->id);
    tell_opened(opened);
    tell_observers(connection_closed{known->id, end_reason::server_closed});
  }
  opened.attached.emplace_back(
    command.via,
    attach_stream{
      command.stream, std::move(first), false, state_->ids.last(), hears, command.expires_at});
  if (replaced) {
    // It may have opened just now: nothing overtakes that.
    tell_opened(opened);
    numbers_.replacements.Increment();
    end_stream(
      *replaced, close_reason::replaced, notice_event("replaced", R"({"reason":"replaced"})"));
  }
  // A callback that comes again is the stream that is there.
  if (!repeated)
    numbers_.connects.Increment();
  log::debug(
    component, "connection_opened",
    {{"request_id", command.id.str()},
     {"token", command.stream.str()},
     {"replaced", replaced.has_value()}});
  opened.facts.all.push_back({command.id, std::move(replayed_versions)});
  return record_stream(command, replaced);
}

void connection_registry::tell_opened(opened_streams& opened) {
  for (auto& [via, order] : std::exchange(opened.attached, {}))
    caf::anon_send(via, std::move(order));
  if (const auto facts = std::exchange(opened.facts, {}); !facts.all.empty())
    tell_observers(facts);
}

void connection_registry::on_adopt(const adopt_streams& command) {
  for (const auto& stream : command.streams) {
    const auto hears = reach_with_changes(stream.id, stream.asks, nullptr);
    const auto replaced = state_->table.open(
      {stream.id.str(), stream.name, shown_path(stream.url), transport_kind::gateway,
       index_of(stream.via, transport_kind::gateway), stream.connected_at, hears});
    watch_adopted(stream.name);
    if (replaced) {
      end_stream(*replaced, close_reason::replaced, nullptr);
      record({stream_dropped{replaced->stream}});
    }
    caf::anon_send(stream.via, attach_stream{stream.name, {}, true, {}, hears});
  }
  tell_watcher();
  count_connections();
  log::info(component, "streams_adopted", {{"count", command.streams.size()}});
}

/// What is evicted goes from the journal with the evictions to come, or at the next start.
void connection_registry::on_history(const change_history& command) {
  state_->limits.history = command.limits;
  count_history(state_->history.limit(command.limits, now()));
}

void connection_registry::on_closed(const stream_closed& fact) {
  drop(fact.stream, fact.reason);
  tell_watcher();
}

void connection_registry::on_failed(const delivery_failed& fact) {
  // Only if the token is still the one held: a late failure must not end the newer stream.
  const auto open = state_->table.find(fact.stream);
  if (!open)
    return forget_former(fact.stream);
  log::info(
    component, "stale_connection_dropped",
    {{"request_id", open->id.str()}, {"token", open->stream.str()}, {"why", fact.why}});
  drop(fact.stream, end_reason::error);
  tell_watcher();
}

connection_page connection_registry::on_list(const list_connections& query) {
  auto page = state_->table.page(query.after, query.limit, query.which);
  for (auto& one : page.connections)
    if (const auto open = state_->table.find(one.stream))
      one.via = state_->transports[open->via].via;
  return page;
}

result<void> connection_registry::on_close(const close_connection& command) {
  const auto found = state_->table.find(command.id);
  const bool keeps_away = command.stay_away.count() != 0;
  if (!found && !keeps_away)
    return fail(ec::no_such_connection, "no stream is open for this request_id", "request_id");
  if (keeps_away && !keep_away(command.id, command.stay_away))
    return fail(ec::overloaded, "as many pages as may be are kept away already");
  if (found)
    close(*found);
  tell_watcher();
  return caf::unit;
}

bool connection_registry::keep_away(const request_id& id, std::chrono::seconds time) {
  auto& pages = state_->kept_away;
  const auto now = self_->clock().now();
  pages.expire(now);
  const bool kept = pages.keep_away(id, now + time);
  numbers_.kept_away.Set(static_cast<double>(pages.size()));
  return kept;
}

bool connection_registry::is_kept_away(const request_id& id) {
  auto& pages = state_->kept_away;
  if (pages.size() == 0)
    return false;
  pages.expire(self_->clock().now());
  numbers_.kept_away.Set(static_cast<double>(pages.size()));
  return pages.contains(id);
}

void connection_registry::close(const connection& open) {
  end_stream(open, close_reason::requested, nullptr);
  drop(open.stream, end_reason::server_closed);
}

/// Forgets a stream that is gone, and says so; nothing for one that is not known.
void connection_registry::drop(const token& stream, end_reason reason) {
  auto facts = facts_of(stream);
  const auto gone = state_->table.close(stream);
  if (!gone)
    return forget_former(stream);
  if (facts)
    watch_streams({{std::move(facts), to_string(reason)}}, std::nullopt);
  note_closed(*gone, reason);
}

/// A stream that a former life has left open, and that is no page's any longer, has ended.
void connection_registry::forget_former(const token& stream) {
  if (!state_->ending.contains(stream))
    return;
  record({stream_dropped{stream}});
  state_->ending.erase(stream);
}

void connection_registry::on_observer(const add_observer& command) {
  auto& observers = state_->observers;
  if (std::find(observers.begin(), observers.end(), command.observer) == observers.end())
    observers.push_back(command.observer);
}

connection_table::transport_index
connection_registry::index_of(const delivery_actor& via, transport_kind kind) {
  auto& known = state_->transports;
  const auto found =
    std::find_if(known.begin(), known.end(), [&](const auto& t) { return t.via == via; });
  if (found == known.end()) {
    known.push_back({via, kind == transport_kind::gateway});
    return static_cast<connection_table::transport_index>(known.size() - 1);
  }
  return static_cast<connection_table::transport_index>(found - known.begin());
}

void connection_registry::end_stream(
  const connection& ended, close_reason reason, event_ptr farewell) {
  caf::anon_send(
    state_->transports[ended.via].via, close_stream{ended.stream, reason, std::move(farewell)});
}

void connection_registry::note_closed(const connection& gone, end_reason reason) {
  if (state_->journal && state_->transports[gone.via].lasting)
    record({stream_dropped{gone.stream}});
  numbers_.disconnects.Increment();
  page_closed(gone.id);
  count_connections();
  log::debug(
    component, "connection_closed",
    {{"request_id", gone.id.str()}, {"token", gone.stream.str()}, {"reason", to_string(reason)}});
  tell_observers(connection_closed{gone.id, reason});
}

/// Whether another stream may listen to this.
bool connection_registry::room_for(const reach& hears) const {
  const auto bytes = audience_index::cost(hears);
  if (bytes == 0 || state_->table.topics_bytes() + bytes <= state_->limits.max_topics_bytes)
    return true;
  numbers_.topics_refused.Increment();
  return false;
}

void connection_registry::count_connections() {
  numbers_.topics_bytes.Set(static_cast<double>(state_->table.topics_bytes()));
  numbers_.active.Set(static_cast<double>(state_->table.size()));
}

/// No answer is waited for: an observer that fails says so itself (its shell logs, counts and
/// restarts it), and a connect costs no message back.
template <class Fact>
void connection_registry::tell_observers(const Fact& fact) {
  for (const auto& observer : state_->observers)
    caf::anon_send(observer, fact);
}

event_history::missed connection_registry::missed_since(const std::string& cursor) {
  count_history(state_->history.expire(self_->clock().now()));
  // Streams are told of every id as their place, also of one whose event could not be kept.
  state_->history.pass(state_->ids.last());
  return state_->history.since(parse_event_id(cursor));
}

supervised<connection_registry_actor> spawn_connection_registry(
  caf::actor_system& system, shell_options options, const registry_limits& limits, metrics& numbers,
  registry_memory memory, std::shared_ptr<event_place> place, watcher_actor watcher) {
  using clock = std::chrono::system_clock;
  const auto events = std::exchange(memory.events, {});
  const auto values = std::exchange(memory.values, {});
  const auto topics = std::exchange(memory.topics, {});
  const auto pages = std::exchange(memory.pages, {});
  const auto revocations = std::exchange(memory.revocations, {});
  const auto last = memory.journal ? memory.last_id : first_event_id();
  auto state = std::make_shared<registry_state>(
    limits, std::move(memory), last, std::move(place), std::move(watcher));
  const auto now = system.clock().now();
  const auto wall = clock::now();
  const auto dated = [&](const journal_snapshot::dated_event& one) {
    auto event = one.what;
    event.at = now - std::max(wall - one.at, clock::duration{0});
    return event;
  };
  for (const auto& one : events)
    state->evicted_in_file += state->history.append(dated(one));
  for (const auto& one : values)
    state->values.keep(dated(one));
  for (const auto& one : topics)
    if (state->topics.keep(one.id, {one.added, one.removed}))
      state->topics.closed(one.id, now + limits.history.max_age_s);
  std::optional<request_id> forgotten;
  for (const auto& one : pages)
    (void)state->subjects.bind(one.id, one.subject, now + limits.history.max_age_s, forgotten);
  for (const auto& one : revocations)
    (void)state->revoked.add(one.what, one.until);
  // Cursors between the last event that was written and the first of this life are good ones.
  state->history.pass(last);
  state->place->set(last);
  return spawn_supervised<connection_registry::interface, connection_registry>(
    system, std::move(options), [state, &numbers](connection_registry::self_type self) {
      return std::make_unique<connection_registry>(self, state, numbers);
    });
}

} // namespace herald
