#include "actors/connection_registry.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "actors/connection_table.hpp"
#include "actors/publish_tickets.hpp"
#include "actors/tell_refused.hpp"

namespace herald {

namespace {

constexpr const char* component = "connection-registry";

/// What outlives a restart of the inside.
struct registry_state {
  registry_state(const history_limits& limits, event_id last)
    : history(limits, last),
      last_id(last) {}

  connection_table table;
  event_history history;
  /// Every transport that was ever seen: a handful (loops, gateway shards), so searched by walking.
  std::vector<delivery_actor> transports;
  std::vector<observer_actor> observers;
  event_id last_id;
  bool shutting_down = false;
};

event_id first_event_id() {
  using namespace std::chrono;
  const auto now = system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(duration_cast<microseconds>(now).count())};
}

class connection_registry {
public:
  using interface = connection_registry_actor;
  using self_type = self_pointer<interface>;

  connection_registry(self_type self, std::shared_ptr<registry_state> state, metrics& numbers);

  static shell<interface, connection_registry>::behavior_type
  behavior(shell<interface, connection_registry>& s);

  result<void> on_open(const open_connection& command);
  void on_closed(const stream_closed& fact);
  void on_failed(const delivery_failed& fact);
  void on_settled(const delivery_settled& fact);
  result<send_status> on_send(send_to_stream& command);
  result<publish_receipt> on_publish(publish& command);
  void on_wait_over(const delivery_wait_over& fact);
  void on_observer(const add_observer& command);
  connection_page on_list(const list_connections& query);
  result<void> on_close(const close_connection& command);
  void on_shutdown(const begin_shutdown& command);
  void on_flush(const flush&) {}

private:
  using connection = connection_table::connection;
  using promise = caf::typed_response_promise<publish_receipt>;

  struct waiting {
    promise answer;
    publish_receipt receipt;
  };

  /// The parts of a batch, one for each transport; empty where it has nothing to do.
  struct routing {
    std::vector<delivery_batch> batches;
    std::size_t transports = 0;
    std::size_t recipients = 0;
  };

  connection_table::transport_index index_of(const delivery_actor& via);
  void end_stream(const connection& ended, close_reason reason, event_ptr farewell);
  void forgotten(const connection& gone, end_reason reason);
  void count_connections();
  template <class Fact>
  void tell_observers(const Fact& fact);
  std::vector<event_ptr> replay(const open_connection& command);
  event_ptr order(draft& d, event_id id);
  void keep(const event_ptr& ordered, const audience& to);
  routing route(std::vector<draft>& drafts, publish_receipt& receipt);
  void finish(ticket_id ticket, const publish_tickets::outcome& outcome);

  self_type self_;
  std::shared_ptr<registry_state> state_;
  publish_tickets tickets_;
  std::map<ticket_id, waiting> waiting_;
  prometheus::Counter& connects_;
  prometheus::Counter& disconnects_;
  prometheus::Counter& replacements_;
  prometheus::Gauge& active_;
  prometheus::Counter& published_;
  prometheus::Counter& replayed_;
  prometheus::Counter& gaps_;
  prometheus::Counter& evicted_;
  prometheus::Gauge& kept_events_;
  prometheus::Gauge& kept_bytes_;
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
    replayed_(numbers.counter(
      "herald_history_replayed_total", "Events sent again to streams that came back.")),
    gaps_(numbers.counter(
      "herald_history_gaps_total", "Streams that came back after what they missed was evicted.")),
    evicted_(
      numbers.counter("herald_history_evicted_total", "Events dropped at a limit of the history.")),
    kept_events_(numbers.gauge("herald_history_events", "Events kept for replay.")),
    kept_bytes_(numbers.gauge("herald_history_bytes", "Memory of the events kept for replay.")) {
  if (!state_->table.check())
    throw state_damaged("connection table out of step");
  count_connections();
}

shell<connection_registry::interface, connection_registry>::behavior_type
connection_registry::behavior(shell<interface, connection_registry>& s) {
  return {
    s.refusable(&connection_registry::on_open, {.tell = tell_refused}),
    s.repeatable(&connection_registry::on_closed),
    s.repeatable(&connection_registry::on_failed),
    s.repeatable(&connection_registry::on_settled),
    s.refusable(&connection_registry::on_send),
    s.refusable(&connection_registry::on_publish, {.applies = is_from_outside}),
    s.repeatable(&connection_registry::on_wait_over),
    s.repeatable(&connection_registry::on_observer),
    s.refusable(&connection_registry::on_list),
    s.refusable(&connection_registry::on_close),
    s.on(&connection_registry::on_shutdown),
    s.on(&connection_registry::on_flush),
    s.control(),
  };
}

// -- who is connected -----------------------------------------------------------------------------

result<void> connection_registry::on_open(const open_connection& command) {
  const auto via = index_of(command.via);
  const auto known = state_->table.find(command.stream);
  const auto replaced = state_->table.open(
    {command.id.str(), command.stream, command.url, command.transport, via,
     std::chrono::system_clock::now()});
  if (known && known->id != command.id)
    tell_observers(connection_closed{known->id, end_reason::server_closed});
  caf::anon_send(command.via, attach_stream{command.stream});
  if (replaced) {
    replacements_.Increment();
    event farewell;
    farewell.name = "replaced";
    farewell.data = R"({"reason":"replaced"})";
    end_stream(
      *replaced, close_reason::replaced, std::make_shared<const event>(std::move(farewell)));
  }
  std::vector<event_ptr> replayed_versions;
  if (command.last_event_id && !known)
    replayed_versions = replay(command);
  connects_.Increment();
  count_connections();
  log::debug(
    component, "connection_opened",
    {{"request_id", command.id.str()},
     {"token", command.stream.str()},
     {"replaced", replaced.has_value()}});
  tell_observers(connection_opened{command.id, std::move(replayed_versions)});
  return caf::unit;
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

connection_table::transport_index connection_registry::index_of(const delivery_actor& via) {
  auto& known = state_->transports;
  const auto found = std::find(known.begin(), known.end(), via);
  if (found == known.end()) {
    known.push_back(via);
    return static_cast<connection_table::transport_index>(known.size() - 1);
  }
  return static_cast<connection_table::transport_index>(found - known.begin());
}

void connection_registry::end_stream(
  const connection& ended, close_reason reason, event_ptr farewell) {
  caf::anon_send(
    state_->transports[ended.via], close_stream{ended.stream, reason, std::move(farewell)});
}

void connection_registry::forgotten(const connection& gone, end_reason reason) {
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

/// Sends what the stream has missed. Gives the events `version` among it.
std::vector<event_ptr> connection_registry::replay(const open_connection& command) {
  const auto missed = state_->history.since(parse_event_id(*command.last_event_id), command.id);
  auto items = std::make_shared<std::vector<delivery>>();
  if (missed.gap) {
    gaps_.Increment();
    auto gap = std::make_shared<event>();
    gap->id = *missed.gap;
    gap->name = "gap";
    gap->data = R"({"reason":"events after your last one are not kept any more"})";
    gap->accepted = self_->clock().now();
    items->push_back({std::move(gap), command.stream});
  }
  std::vector<event_ptr> versions;
  for (const auto& what : missed.events) {
    if (what->service == service_type::version)
      versions.push_back(what);
    items->push_back({what, command.stream});
  }
  replayed_.Increment(static_cast<double>(missed.events.size()));
  if (!items->empty())
    caf::anon_send(command.via, deliver{std::move(items), 0});
  return versions;
}

// -- what is said ---------------------------------------------------------------------------------

event_ptr connection_registry::order(draft& d, event_id id) {
  auto ordered = std::make_shared<event>();
  ordered->id = id;
  ordered->name = std::move(d.name);
  ordered->data = std::move(d.data);
  ordered->service = d.service;
  ordered->accepted = self_->clock().now();
  return ordered;
}

void connection_registry::keep(const event_ptr& ordered, const audience& to) {
  auto& history = state_->history;
  if (ordered->service == service_type::version && !to.everyone())
    history.pass(ordered->id);
  else
    evicted_.Increment(static_cast<double>(history.append(ordered, to, ordered->accepted)));
  kept_events_.Set(static_cast<double>(history.size()));
  kept_bytes_.Set(static_cast<double>(history.bytes()));
}

connection_registry::routing
connection_registry::route(std::vector<draft>& drafts, publish_receipt& receipt) {
  const auto transports = state_->transports.size();
  const bool all_broadcast =
    std::all_of(drafts.begin(), drafts.end(), [](const draft& d) { return d.to.everyone(); });
  // A batch for everyone is built once and shared; otherwise each transport gets its own.
  std::vector<std::vector<delivery>> items(all_broadcast ? 1 : transports);
  receipt.ids.reserve(drafts.size());
  for (auto& d : drafts) {
    const auto to = std::move(d.to);
    const auto ordered = order(d, {++state_->last_id.value});
    receipt.ids.push_back(ordered->id);
    keep(ordered, to);
    if (to.everyone()) {
      receipt.recipients += state_->table.size();
      for (auto& list : items)
        list.push_back({ordered, std::nullopt});
    } else if (const auto found = state_->table.find(*to.only)) {
      ++receipt.recipients;
      items[found->via].push_back({ordered, found->stream});
    }
  }

  routing result;
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

result<publish_receipt> connection_registry::on_publish(publish& command) {
  if (state_->shutting_down && is_from_outside(command))
    return fail(ec::shutting_down, "no new events are taken");

  publish_receipt receipt;
  const auto parts = route(command.drafts, receipt);
  published_.Increment(static_cast<double>(receipt.ids.size()));
  const bool waits = command.wait && parts.transports > 0;
  const auto ticket = waits ? tickets_.open(parts.transports, parts.recipients) : 0;
  for (std::size_t i = 0; i < parts.batches.size(); ++i)
    if (parts.batches[i])
      caf::anon_send(state_->transports[i], deliver{parts.batches[i], ticket});
  if (!waits)
    return receipt;

  auto answer = self_->make_response_promise<publish_receipt>();
  waiting_.emplace(ticket, waiting{answer, std::move(receipt)});
  self_->delayed_send(
    caf::actor_cast<connection_registry_actor>(self_), publish_wait, delivery_wait_over{ticket});
  return answer;
}

void connection_registry::on_settled(const delivery_settled& fact) {
  if (const auto outcome = tickets_.settle(fact.ticket, fact.delivered))
    finish(fact.ticket, *outcome);
}

void connection_registry::on_wait_over(const delivery_wait_over& fact) {
  if (const auto outcome = tickets_.give_up(fact.ticket))
    finish(fact.ticket, *outcome);
}

void connection_registry::finish(ticket_id ticket, const publish_tickets::outcome& outcome) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end())
    return;
  auto [answer, receipt] = std::move(found->second);
  waiting_.erase(found);
  receipt.delivered = outcome.delivered;
  receipt.failed = outcome.failed;
  answer.deliver(std::move(receipt));
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
    caf::anon_send(state_->transports[found->via], deliver{std::move(items), 0});
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
  caf::actor_system& system, shell_options options, const history_limits& limits,
  metrics& numbers) {
  auto state = std::make_shared<registry_state>(limits, first_event_id());
  return spawn_supervised<connection_registry_actor, connection_registry>(
    system, std::move(options), [state, &numbers](connection_registry::self_type self) {
      return std::make_unique<connection_registry>(self, state, numbers);
    });
}

} // namespace herald
