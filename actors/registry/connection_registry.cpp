#include "actors/registry/connection_registry.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "actors/registry/connection_table.hpp"
#include "actors/registry/publish_tickets.hpp"
#include "actors/registry/unwritten_events.hpp"
#include "actors/supervision/tell_refused.hpp"

namespace herald {

namespace {

constexpr const char* component = "connection-registry";

event_id first_event_id() {
  using namespace std::chrono;
  const auto now = system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(duration_cast<microseconds>(now).count())};
}

/// A publisher that has no answer yet.
struct waiting_publisher {
  caf::typed_response_promise<publish_receipt> answer;
  publish_receipt receipt;
  bool undelivered = false;
  bool unwritten = false;
};

/// Who reaches streams.
struct transport {
  delivery_actor via;
  /// Its streams outlive herald, and are recorded.
  bool lasting = false;
};

/// What outlives a restart of the inside.
struct registry_state {
  registry_state(const history_limits& limits, registry_memory memory, event_id last)
    : journal(std::move(memory.journal)),
      ids(last, memory.ids_reserved),
      history(limits, journal ? memory.history_floor : last),
      unwritten(memory.max_queue_events, memory.max_queue_bytes) {}

  const journal_actor journal;
  id_source ids;
  connection_table table;
  event_history history;
  /// Every transport that was ever seen: a handful (loops, gateway shards), so searched by walking.
  std::vector<transport> transports;
  std::vector<observer_actor> observers;
  bool shutting_down = false;

  /// Names what is delivered and what is recorded, as far as somebody waits for it.
  ticket_id last_ticket = 0;
  publish_tickets deliveries;
  std::map<ticket_id, waiting_publisher> publishers;
  std::map<ticket_id, caf::response_promise> connects;
  unwritten_events unwritten;
  std::optional<ticket_id> reserving;
  std::size_t evicted_in_file = 0;
};

class connection_registry {
public:
  using interface = connection_registry_actor::extend<caf::reacts_to<entries_recorded>>;
  using self_type = self_pointer<interface>;

  connection_registry(self_type self, std::shared_ptr<registry_state> state, metrics& numbers);

  static shell<interface, connection_registry>::behavior_type
  behavior(shell<interface, connection_registry>& s);

  result<void> on_open(const open_connection& command);
  void on_open_all(const open_connections& command);
  void on_closed(const stream_closed& fact);
  void on_failed(const delivery_failed& fact);
  void on_settled(const delivery_settled& fact);
  result<send_status> on_send(send_to_stream& command);
  result<publish_receipt> on_publish(publish& command);
  void on_wait_over(const delivery_wait_over& fact);
  void on_recorded(const entries_recorded& fact);
  void on_observer(const add_observer& command);
  connection_page on_list(const list_connections& query);
  result<void> on_close(const close_connection& command);
  void on_adopt(const adopt_streams& command);
  void on_shutdown(const begin_shutdown& command);
  void on_flush(const flush&) {}

private:
  using connection = connection_table::connection;

  /// What is to be said of streams that were opened: in one go for all of a storm, so that whoever
  /// hears of it wakes up once.
  struct opened_streams {
    std::vector<std::pair<delivery_actor, attach_stream>> attached;
    connections_opened facts;
  };

  /// The parts of a batch, one for each transport; empty where it has nothing to do.
  struct routing {
    std::vector<delivery_batch> batches;
    std::size_t transports = 0;
    std::size_t recipients = 0;
    /// What the journal is to keep, and what it takes there.
    std::vector<kept_event> kept;
    std::size_t kept_bytes = 0;
  };

  result<void> open(const open_connection& command, opened_streams& opened);
  void tell_opened(opened_streams& opened);
  connection_table::transport_index index_of(const delivery_actor& via, transport_kind kind);
  void end_stream(const connection& ended, close_reason reason, event_ptr farewell);
  void forgotten(const connection& gone, end_reason reason);
  void count_connections();
  template <class Fact>
  void tell_observers(const Fact& fact);
  event_history::missed missed_since(const std::string& cursor);
  missed_events replay_of(event_history::missed missed, const request_id& id);
  caf::error refusal(const publish& command);
  event_ptr order(draft& d, event_id id);
  bool keep(const event_ptr& ordered, const audience& to);
  routing route(std::vector<draft>& drafts, publish_receipt& receipt);
  bool record_events(routing& parts, ticket_id ticket);
  result<void> record_stream(const open_connection& command, const std::optional<connection>& over);
  void record(std::vector<journal_entry> entries, ticket_id ticket = 0);
  void add_upkeep(std::vector<journal_entry>& entries, ticket_id ticket);
  void finish(ticket_id ticket, const publish_tickets::outcome& outcome);
  void count_history(std::size_t evicted);
  void count_unwritten();

  self_type self_;
  std::shared_ptr<registry_state> state_;
  prometheus::Counter& connects_;
  prometheus::Counter& disconnects_;
  prometheus::Counter& replacements_;
  prometheus::Gauge& active_;
  prometheus::Counter& published_;
  prometheus::Counter& gaps_;
  prometheus::Counter& evicted_;
  prometheus::Gauge& kept_events_;
  prometheus::Gauge& kept_bytes_;
  prometheus::Gauge& unwritten_;
  prometheus::Counter& refused_;
};

/// Events are from outside; versions and tasks are ours.
bool is_from_outside(const publish& command) {
  return std::any_of(command.drafts.begin(), command.drafts.end(), [](const draft& d) {
    return d.service == service_type::event;
  });
}

prometheus::Counter& connections_total(metrics& numbers, const char* action) {
  return numbers.counter(
    "sse_gateway_connections_total", "Streams by what happened to them.", {{"action", action}});
}

connection_registry::connection_registry(
  self_type self, std::shared_ptr<registry_state> state, metrics& numbers)
  : self_(self),
    state_(std::move(state)),
    connects_(connections_total(numbers, "connect")),
    disconnects_(connections_total(numbers, "disconnect")),
    replacements_(connections_total(numbers, "replace")),
    active_(numbers.gauge("sse_gateway_active_connections", "Open streams.")),
    published_(numbers.counter("herald_events_published_total", "Events put in order.")),
    gaps_(numbers.counter(
      "herald_history_gaps_total", "Streams that came back after what they missed was evicted.")),
    evicted_(
      numbers.counter("herald_history_evicted_total", "Events dropped at a limit of the history.")),
    kept_events_(numbers.gauge("herald_history_events", "Events kept for replay.")),
    kept_bytes_(numbers.gauge("herald_history_bytes", "Memory of the events kept for replay.")),
    unwritten_(numbers.gauge(
      "herald_journal_queue_events", "Events that were published and are not written yet.")),
    refused_(numbers.counter(
      "herald_journal_refused_total", "Publishers refused because the journal is behind.")) {
  if (!state_->table.check())
    throw state_damaged("connection table out of step");
  if (!state_->history.check())
    throw state_damaged("event history out of step");
  count_connections();
  count_history(0);
}

shell<connection_registry::interface, connection_registry>::behavior_type
connection_registry::behavior(shell<interface, connection_registry>& s) {
  return {
    s.refusable(&connection_registry::on_open, {.tell = tell_refused}),
    s.refusable(&connection_registry::on_open_all, {.tell = tell_all_refused}),
    s.repeatable(&connection_registry::on_closed),
    s.repeatable(&connection_registry::on_failed),
    s.repeatable(&connection_registry::on_settled),
    s.refusable(&connection_registry::on_send),
    s.refusable(&connection_registry::on_publish, {.applies = is_from_outside}),
    s.repeatable(&connection_registry::on_wait_over),
    s.repeatable(&connection_registry::on_recorded),
    s.repeatable(&connection_registry::on_observer),
    s.refusable(&connection_registry::on_list),
    s.refusable(&connection_registry::on_close),
    s.repeatable(&connection_registry::on_adopt),
    s.on(&connection_registry::on_shutdown),
    s.on(&connection_registry::on_flush),
    s.control(),
  };
}

result<void> connection_registry::on_open(const open_connection& command) {
  opened_streams opened;
  auto answer = open(command, opened);
  tell_opened(opened);
  count_connections();
  return answer;
}

void connection_registry::on_open_all(const open_connections& command) {
  opened_streams opened;
  try {
    for (const auto& one : command.all)
      (void)open(one, opened);
  } catch (...) {
    // Those before it are open.
    tell_opened(opened);
    throw;
  }
  tell_opened(opened);
  count_connections();
}

result<void> connection_registry::open(const open_connection& command, opened_streams& opened) {
  const auto via = index_of(command.via, command.transport);
  const auto known = state_->table.find(command.stream);
  event_history::missed missed;
  if (command.last_event_id && !known)
    missed = missed_since(*command.last_event_id);
  auto replayed_versions = std::move(missed.versions);
  const auto replaced = state_->table.open(
    {command.id.str(), command.stream, command.url, command.transport, via,
     std::chrono::system_clock::now()});
  const bool repeated = known && known->id == command.id;
  if (known && !repeated) {
    disconnects_.Increment();
    tell_opened(opened);
    tell_observers(connection_closed{known->id, end_reason::server_closed});
  }
  opened.attached.emplace_back(
    command.via, attach_stream{command.stream, replay_of(std::move(missed), command.id)});
  if (replaced) {
    // It may have opened just now: nothing overtakes that.
    tell_opened(opened);
    replacements_.Increment();
    event farewell;
    farewell.name = "replaced";
    farewell.data = R"({"reason":"replaced"})";
    end_stream(
      *replaced, close_reason::replaced, std::make_shared<const event>(std::move(farewell)));
  }
  // A callback that comes again is the stream that is there.
  if (!repeated)
    connects_.Increment();
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

/// Answers once the journal knows the stream, or has not said so in time: a page must not wait for
/// a slow disk.
result<void> connection_registry::record_stream(
  const open_connection& command, const std::optional<connection>& over) {
  if (!state_->journal)
    return caf::unit;
  std::vector<journal_entry> entries;
  if (over && state_->transports[over->via].lasting)
    entries.emplace_back(stream_dropped{over->stream});
  if (command.transport != transport_kind::gateway) {
    if (!entries.empty())
      record(std::move(entries));
    return caf::unit;
  }
  entries.emplace_back(
    stream_kept{command.id, command.stream, command.url, std::chrono::system_clock::now()});
  const auto ticket = ++state_->last_ticket;
  auto answer = self_->make_response_promise();
  state_->connects.emplace(ticket, answer);
  record(std::move(entries), ticket);
  self_->delayed_send(
    caf::actor_cast<connection_registry_actor>(self_), connect_wait, delivery_wait_over{ticket});
  return answer;
}

void connection_registry::on_adopt(const adopt_streams& command) {
  for (const auto& stream : command.streams) {
    const auto replaced = state_->table.open(
      {stream.id.str(), stream.name, stream.url, transport_kind::gateway,
       index_of(stream.via, transport_kind::gateway), stream.connected_at});
    if (replaced) {
      end_stream(*replaced, close_reason::replaced, nullptr);
      record({stream_dropped{replaced->stream}});
    }
    caf::anon_send(stream.via, attach_stream{stream.name, {}, true});
  }
  count_connections();
  log::info(component, "streams_adopted", {{"count", command.streams.size()}});
}

void connection_registry::on_closed(const stream_closed& fact) {
  if (const auto gone = state_->table.close(fact.stream))
    forgotten(*gone, fact.reason);
}

void connection_registry::on_failed(const delivery_failed& fact) {
  // Only if the token is still the one held: a late failure must not end the newer stream.
  const auto gone = state_->table.close(fact.stream);
  if (!gone)
    return;
  log::info(
    component, "stale_connection_dropped",
    {{"request_id", gone->id.str()}, {"token", gone->stream.str()}, {"why", fact.why}});
  forgotten(*gone, end_reason::error);
}

result<void> connection_registry::on_close(const close_connection& command) {
  const auto found = state_->table.find(command.id);
  if (!found)
    return fail(ec::no_such_connection, "no stream is open for this request_id", "request_id");
  state_->table.close(found->stream);
  end_stream(*found, close_reason::requested, nullptr);
  forgotten(*found, end_reason::server_closed);
  return caf::unit;
}

connection_page connection_registry::on_list(const list_connections& query) {
  return state_->table.page(query.after, query.limit);
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
    std::find_if(known.begin(), known.end(), [&](const transport& t) { return t.via == via; });
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

void connection_registry::forgotten(const connection& gone, end_reason reason) {
  if (state_->journal && state_->transports[gone.via].lasting)
    record({stream_dropped{gone.stream}});
  disconnects_.Increment();
  count_connections();
  log::debug(
    component, "connection_closed",
    {{"request_id", gone.id.str()}, {"token", gone.stream.str()}, {"reason", to_string(reason)}});
  tell_observers(connection_closed{gone.id, reason});
}

void connection_registry::count_connections() {
  active_.Set(static_cast<double>(state_->table.size()));
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
  return state_->history.since(parse_event_id(cursor));
}

missed_events connection_registry::replay_of(event_history::missed missed, const request_id& id) {
  event_ptr notice;
  if (missed.gap) {
    gaps_.Increment();
    auto gap = std::make_shared<event>();
    gap->id = *missed.gap;
    gap->name = "gap";
    gap->data = R"({"reason":"events after your last one are not kept any more"})";
    notice = std::move(gap);
  } else if (!missed.range.blocks) {
    return {};
  }
  return {std::move(notice), std::move(missed.range), id};
}

event_ptr connection_registry::order(draft& d, event_id id) {
  auto ordered = std::make_shared<event>();
  ordered->id = id;
  ordered->name = std::move(d.name);
  ordered->data = std::move(d.data);
  ordered->service = d.service;
  ordered->accepted = self_->clock().now();
  return ordered;
}

/// Whether a stream may ask for the event again.
bool connection_registry::keep(const event_ptr& ordered, const audience& to) {
  auto& history = state_->history;
  const bool greeting = ordered->service == service_type::version && !to.everyone();
  if (greeting)
    history.pass(ordered->id);
  else
    count_history(history.append(ordered, to, ordered->accepted));
  return !greeting;
}

void connection_registry::count_history(std::size_t evicted) {
  auto& state = *state_;
  state.evicted_in_file += evicted;
  evicted_.Increment(static_cast<double>(evicted));
  kept_events_.Set(static_cast<double>(state.history.size()));
  kept_bytes_.Set(static_cast<double>(state.history.bytes()));
}

connection_registry::routing
connection_registry::route(std::vector<draft>& drafts, publish_receipt& receipt) {
  const auto transports = state_->transports.size();
  const bool all_broadcast =
    std::all_of(drafts.begin(), drafts.end(), [](const draft& d) { return d.to.everyone(); });
  // A batch for everyone is built once and shared; otherwise each transport gets its own.
  std::vector<std::vector<delivery>> items(all_broadcast ? 1 : transports);
  routing result;
  receipt.ids.reserve(drafts.size());
  if (state_->journal)
    result.kept.reserve(drafts.size());
  for (auto& d : drafts) {
    const auto to = std::move(d.to);
    const auto ordered = order(d, state_->ids.next());
    receipt.ids.push_back(ordered->id);
    if (keep(ordered, to) && state_->journal) {
      result.kept_bytes += ordered->name.size() + ordered->data.size() + sizeof(event);
      result.kept.push_back({ordered, to});
    }
    if (to.everyone()) {
      receipt.recipients += state_->table.size();
      for (auto& list : items)
        list.push_back({ordered, std::nullopt});
    } else if (const auto found = state_->table.find(*to.only)) {
      ++receipt.recipients;
      items[found->via].push_back({ordered, found->stream});
    }
  }

  result.batches.resize(transports);
  result.recipients = receipt.recipients;
  const auto shared =
    all_broadcast ? std::make_shared<const std::vector<delivery>>(std::move(items[0])) : nullptr;
  for (std::size_t i = 0; i < transports; ++i) {
    if (state_->table.size_on(static_cast<connection_table::transport_index>(i)) == 0)
      continue;
    auto batch =
      shared ? shared : std::make_shared<const std::vector<delivery>>(std::move(items[i]));
    if (batch->empty())
      continue;
    result.batches[i] = std::move(batch);
    ++result.transports;
  }
  return result;
}

caf::error connection_registry::refusal(const publish& command) {
  const bool outside = is_from_outside(command);
  if (outside && state_->shutting_down)
    return fail(ec::shutting_down, "no new events are taken");
  if (outside && state_->unwritten.full()) {
    refused_.Increment();
    return fail(ec::overloaded, "too many events wait for the journal");
  }
  if (!state_->ids.has(command.drafts.size()))
    return fail(ec::storage_failed, "the journal has not been written for too many events");
  return {};
}

result<publish_receipt> connection_registry::on_publish(publish& command) {
  if (auto error = refusal(command))
    return error;
  waiting_publisher waiting;
  auto& receipt = waiting.receipt;
  auto parts = route(command.drafts, receipt);
  published_.Increment(static_cast<double>(receipt.ids.size()));
  waiting.undelivered = command.wait && parts.transports > 0;
  const auto ticket =
    waiting.undelivered || !parts.kept.empty() ? ++state_->last_ticket : ticket_id{0};
  if (waiting.undelivered)
    state_->deliveries.open(ticket, parts.transports, parts.recipients);
  for (std::size_t i = 0; i < parts.batches.size(); ++i)
    if (parts.batches[i])
      caf::anon_send(
        state_->transports[i].via,
        deliver{parts.batches[i], waiting.undelivered ? ticket : ticket_id{0}});
  waiting.unwritten = record_events(parts, ticket);
  if (!waiting.undelivered && !waiting.unwritten)
    return receipt;

  if (waiting.undelivered)
    self_->delayed_send(
      caf::actor_cast<connection_registry_actor>(self_), publish_wait, delivery_wait_over{ticket});
  waiting.answer = self_->make_response_promise<publish_receipt>();
  return state_->publishers.emplace(ticket, std::move(waiting)).first->second.answer;
}

void connection_registry::on_settled(const delivery_settled& fact) {
  if (const auto outcome = state_->deliveries.settle(fact.ticket, fact.delivered))
    finish(fact.ticket, *outcome);
}

void connection_registry::on_wait_over(const delivery_wait_over& fact) {
  if (auto connect = state_->connects.extract(fact.ticket))
    connect.mapped().deliver(caf::unit);
  if (const auto outcome = state_->deliveries.give_up(fact.ticket))
    finish(fact.ticket, *outcome);
}

void connection_registry::finish(ticket_id ticket, const publish_tickets::outcome& outcome) {
  const auto found = state_->publishers.find(ticket);
  if (found == state_->publishers.end())
    return;
  auto& waiting = found->second;
  waiting.undelivered = false;
  waiting.receipt.delivered = outcome.delivered;
  waiting.receipt.failed = outcome.failed;
  if (waiting.unwritten)
    return;
  auto done = state_->publishers.extract(found);
  done.mapped().answer.deliver(std::move(done.mapped().receipt));
}

/// Whether there is something to wait for.
bool connection_registry::record_events(routing& parts, ticket_id ticket) {
  if (parts.kept.empty())
    return false;
  state_->unwritten.add(ticket, parts.kept.size(), parts.kept_bytes);
  count_unwritten();
  std::vector<journal_entry> entries;
  entries.reserve(3);
  entries.emplace_back(events_kept{std::move(parts.kept), std::chrono::system_clock::now()});
  add_upkeep(entries, ticket);
  record(std::move(entries), ticket);
  return true;
}

void connection_registry::record(std::vector<journal_entry> entries, ticket_id ticket) {
  const auto listener =
    ticket == 0 ? journal_listener_actor{} : caf::actor_cast<journal_listener_actor>(self_);
  caf::anon_send(state_->journal, record_entries{std::move(entries), ticket, listener});
}

/// What has to be written now and then: in bulk, that it costs next to nothing per event.
void connection_registry::add_upkeep(std::vector<journal_entry>& entries, ticket_id ticket) {
  auto& state = *state_;
  if (state.evicted_in_file > state.history.size() / 8 + 64) {
    state.evicted_in_file = 0;
    entries.emplace_back(events_evicted{state.history.floor()});
  }
  if (const auto upto = state.ids.due()) {
    state.reserving = ticket;
    entries.emplace_back(ids_reserved{*upto});
  }
}

void connection_registry::on_recorded(const entries_recorded& fact) {
  auto& state = *state_;
  const bool good = fact.why.code == ec::none;
  state.unwritten.answered(fact.last);
  count_unwritten();
  if (state.reserving && *state.reserving <= fact.last) {
    state.ids.answered(good);
    state.reserving.reset();
  }
  for (auto it = state.connects.begin(); it != state.connects.end() && it->first <= fact.last;
       it = state.connects.erase(it))
    it->second.deliver(caf::unit);
  auto it = state.publishers.begin();
  while (it != state.publishers.end() && it->first <= fact.last) {
    auto& waiting = it->second;
    // The journal answers in order: one that it has left out is lost.
    const bool lost = waiting.unwritten && it->first < fact.first;
    waiting.unwritten = false;
    if (lost)
      waiting.answer.deliver(fail(ec::actor_failed, "the journal has failed"));
    else if (!good && it->first >= fact.first)
      waiting.answer.deliver(fail(fact.why.code, fact.why.detail));
    else if (!waiting.undelivered)
      waiting.answer.deliver(std::move(waiting.receipt));
    else {
      ++it;
      continue;
    }
    it = state.publishers.erase(it);
  }
}

void connection_registry::count_unwritten() {
  unwritten_.Set(static_cast<double>(state_->unwritten.events()));
}

result<send_status> connection_registry::on_send(send_to_stream& command) {
  const auto found = state_->table.find(command.stream);
  if (!found)
    return fail(ec::no_such_stream, "no stream has this token", "token");
  if (command.event) {
    draft d;
    d.name = std::move(command.event->name);
    d.data = std::move(command.event->data);
    // No id: it is outside of the order of what is published, and nobody can ask for it again.
    auto items = std::make_shared<std::vector<delivery>>();
    items->push_back({order(d, event_id{}), found->stream});
    caf::anon_send(state_->transports[found->via].via, deliver{std::move(items), 0});
  }
  if (command.close) {
    state_->table.close(found->stream);
    end_stream(*found, close_reason::requested, nullptr);
    forgotten(*found, end_reason::server_closed);
  }
  return send_status::sent;
}

void connection_registry::on_shutdown(const begin_shutdown&) {
  state_->shutting_down = true;
}

} // namespace

supervised<connection_registry_actor> spawn_connection_registry(
  caf::actor_system& system, shell_options options, const history_limits& limits, metrics& numbers,
  registry_memory memory) {
  using clock = std::chrono::system_clock;
  const auto events = std::exchange(memory.events, {});
  const auto last = memory.journal ? memory.last_id : first_event_id();
  auto state = std::make_shared<registry_state>(limits, std::move(memory), last);
  const auto now = system.clock().now();
  const auto wall = clock::now();
  for (const auto& [event, at] : events)
    state->evicted_in_file +=
      state->history.append(event.what, event.to, now - std::max(wall - at, clock::duration{0}));
  // Cursors between the last event that was written and the first of this life are good ones.
  state->history.pass(last);
  return spawn_supervised<connection_registry::interface, connection_registry>(
    system, std::move(options), [state, &numbers](connection_registry::self_type self) {
      return std::make_unique<connection_registry>(self, state, numbers);
    });
}

} // namespace herald
