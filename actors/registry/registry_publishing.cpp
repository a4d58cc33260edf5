// Publishing: the order of events, their delivery and its outcome, and the registry's records in
// the journal.

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/registry/registry_inside.hpp"

namespace herald {

namespace {

constexpr const char* component = "connection-registry";

/// Between two times that all transports are told the place in the order. Well below the time from
/// one heartbeat to the next, with which streams are told it.
constexpr std::chrono::seconds place_pause{1};

} // namespace

bool connection_registry::is_from_outside(const publish& command) {
  return std::any_of(command.drafts.begin(), command.drafts.end(), [](const draft& d) {
    return d.service == service_type::event;
  });
}

caf::error connection_registry::refusal(const publish& command) {
  const bool outside = is_from_outside(command);
  if (outside && state_->shutting_down)
    return fail(ec::shutting_down, "no new events are taken");
  if (outside && state_->unwritten.full(state_->steps.events(), state_->steps.bytes())) {
    numbers_.refused.Increment();
    return fail(ec::overloaded, "too many events wait for the journal");
  }
  if (outside) {
    // Those whose time is over leave their room to others.
    if (state_->values.size() != 0)
      expire_values();
    if (auto violation = state_->values.violation(command.drafts)) {
      numbers_.values_refused.Increment();
      return fail(ec::storage_full, std::move(*violation), "retain");
    }
  }
  if (!state_->ids.has(command.drafts.size())) {
    // Nothing else would ask again: no event is recorded before there are ids.
    std::vector<journal_entry> entries;
    const auto ticket = ++state_->last_ticket;
    reserve_ids(entries, ticket);
    if (!entries.empty())
      record(std::move(entries), ticket);
    return fail(ec::storage_failed, "the journal has not been written for too many events");
  }
  return {};
}

/// The refusal, or nothing; said in the log where nobody would say it again.
caf::error connection_registry::refuse(const publish& command) {
  auto error = refusal(command);
  // Nobody asked for what herald itself says, and nobody says it again.
  if (error && !is_from_outside(command))
    log::error(
      component, "events_not_published",
      {{"count", command.drafts.size()},
       {"service", to_string(command.drafts.front().service)},
       {"why", describe(error).detail}});
  return error;
}

result<publish_receipt> connection_registry::on_publish(publish& command) {
  if (auto error = refuse(command))
    return error;
  if (command.once && state_->journal)
    return say_once(command);
  return say(command, state_->ids.next(command.drafts.size()));
}

/// Puts a batch into the history, and finds who gets it.
routed_batch connection_registry::route(publish& command, event_id first) {
  auto batch = state_->router.route(command.drafts, first, self_->clock().now());
  state_->place->set(state_->ids.last());
  numbers_.published.Increment(static_cast<double>(batch.receipt.ids.size()));
  count_history(batch.evicted);
  return batch;
}

/// Transports that the batch is not for are told the place from time to time: a stream that hears
/// nothing for long would otherwise come back from where the history does not reach any more.
void connection_registry::send(
  routed_batch& batch, ticket_id ticket, std::chrono::steady_clock::time_point answer_by) {
  static const auto nothing = std::make_shared<const std::vector<delivery>>();
  auto& state = *state_;
  const bool to_all = now() - state.place_told >= place_pause;
  if (to_all)
    state.place_told = now();
  const auto place = batch.receipt.ids.empty() ? event_id{} : batch.receipt.ids.back();
  for (std::size_t i = 0; i < batch.parts.size(); ++i) {
    const auto& via = state.transports[i].via;
    if (batch.parts[i])
      caf::anon_send(via, deliver{std::move(batch.parts[i]), ticket, answer_by, place});
    else if (to_all && state.table.size_on(static_cast<connection_table::transport_index>(i)) != 0)
      caf::anon_send(via, deliver{nothing, 0, answer_by, place});
  }
}

/// Says a batch that is not refused any more: to the history, the streams and the journal, which
/// gets the entries in the same step. The answer waits for the journal, and for the streams if the
/// publisher does.
result<publish_receipt>
connection_registry::say(publish& command, event_id first, std::vector<journal_entry> entries) {
  auto batch = route(command, first);
  const bool undelivered = command.wait && batch.transports > 0;
  if (!batch.more.empty() || state_->values.size() != 0)
    expire_values();
  std::move(batch.more.begin(), batch.more.end(), std::back_inserter(entries));
  if (const auto& once = command.once) {
    auto answer = std::make_shared<const kept_answer>(once->answer_of(batch.receipt));
    // First: a broadcast follows its version.
    if (state_->journal)
      entries.insert(
        entries.begin(),
        answer_kept{once->key.key, once->key.seed, answer, std::chrono::system_clock::now()});
    caf::anon_send(once->key.listener, claim_answered{once->key.claim, std::move(answer)});
  }
  const bool unwritten = !batch.kept.empty() || !entries.empty();
  const auto ticket = undelivered || unwritten ? ++state_->last_ticket : ticket_id{0};
  send(batch, undelivered ? ticket : ticket_id{0}, self_->clock().now() + command.longest_wait);
  if (unwritten)
    record_events(batch, std::move(entries), ticket);
  if (undelivered)
    remind_of(ticket, command.longest_wait + settle_grace);
  if (ticket == 0)
    return std::move(batch.receipt);

  auto answer = self_->make_response_promise<publish_receipt>();
  state_->publishers.add(
    ticket, {{answer, std::move(batch.receipt)}, undelivered ? batch.transports : 0},
    {.journal = unwritten, .other = undelivered});
  return answer;
}

/// The event is outside of the order of what is published: it has no id, and nobody can ask for it
/// again.
result<send_status> connection_registry::on_send(send_to_stream& command) {
  const auto found = state_->table.find(command.stream);
  if (!found)
    return fail(ec::no_such_stream, "no stream has this token", "token");
  if (command.event) {
    auto& [name, data] = *command.event;
    draft d{std::move(name), std::move(data), {}, service_type::event};
    auto event = ordered_event(std::move(d), {}, self_->clock().now());
    auto batch =
      std::make_shared<std::vector<delivery>>(1, delivery{std::move(event), found->stream});
    caf::anon_send(state_->transports[found->via].via, deliver{std::move(batch), 0});
  }
  if (command.close)
    close(*found);
  return send_status::sent;
}

void connection_registry::on_settled(const delivery_settled& fact) {
  auto* publisher = state_->publishers.find(fact.ticket);
  if (publisher != nullptr && publisher->count(fact))
    stop_waiting(fact.ticket);
}

void connection_registry::on_wait_over(const delivery_wait_over& fact) {
  if (auto connect = state_->connects.remove(fact.ticket))
    connect->deliver(caf::unit);
  stop_waiting(fact.ticket);
}

/// A publisher does not wait for its delivery any more.
void connection_registry::stop_waiting(ticket_id ticket) {
  if (auto publisher = state_->publishers.other_came(ticket))
    publisher->give();
}

void connection_registry::remind_of(ticket_id ticket, std::chrono::milliseconds after) {
  self_->delayed_send(
    caf::actor_cast<connection_registry_actor>(self_), after, delivery_wait_over{ticket});
}

void connection_registry::count_history(std::size_t evicted) {
  state_->evicted_in_file += evicted;
  numbers_.evicted.Increment(static_cast<double>(evicted));
  numbers_.kept_events.Set(static_cast<double>(state_->history.size()));
  numbers_.kept_bytes.Set(static_cast<double>(state_->history.bytes()));
}

void connection_registry::count_unwritten() {
  numbers_.unwritten.Set(static_cast<double>(state_->unwritten.events()));
}

void connection_registry::record(std::vector<journal_entry> entries, ticket_id ticket) {
  const auto listener =
    ticket == 0 ? journal_listener_actor{} : caf::actor_cast<journal_listener_actor>(self_);
  caf::anon_send(state_->journal, record_entries{std::move(entries), ticket, listener});
}

void connection_registry::record_events(
  routed_batch& batch, std::vector<journal_entry> entries, ticket_id ticket) {
  auto& state = *state_;
  state.unwritten.add(ticket, batch.kept.size(), batch.kept_bytes);
  count_unwritten();
  entries.reserve(entries.size() + 3);
  entries.emplace_back(events_kept{std::move(batch.kept), std::chrono::system_clock::now()});
  add_evictions(entries);
  reserve_ids(entries, ticket);
  record(std::move(entries), ticket);
}

/// Evictions are recorded in bulk, so that they cost next to nothing per event.
void connection_registry::add_evictions(std::vector<journal_entry>& entries) {
  auto& state = *state_;
  if (state.evicted_in_file <= state.history.size() / 8 + 64)
    return;
  state.evicted_in_file = 0;
  entries.emplace_back(events_evicted{state.history.floor()});
}

/// Adds the reservation of ids, if it is time for one.
void connection_registry::reserve_ids(std::vector<journal_entry>& entries, ticket_id ticket) {
  if (const auto upto = state_->ids.due(ticket))
    entries.emplace_back(ids_reserved{*upto});
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
  state_->connects.add(ticket, answer, {.journal = true});
  record(std::move(entries), ticket);
  remind_of(ticket, connect_wait);
  return answer;
}

void connection_registry::on_recorded(const entries_recorded& fact) {
  auto& state = *state_;
  state.unwritten.answered(fact.last);
  count_unwritten();
  state.ids.answered(fact);
  state.connects.journal_answered(
    fact, [](auto& connect, const failure&) { connect.deliver(caf::unit); });
  state.revokers.journal_answered(fact, [](auto& revoker, const failure& why) {
    if (why.code == ec::none)
      revoker.deliver(caf::unit);
    else
      revoker.deliver(fail(why.code, why.detail));
  });
  state.publishers.journal_answered(
    fact, [](auto& publisher, const failure& why) { publisher.give(why); });
  steps_recorded(fact);
}

} // namespace herald
