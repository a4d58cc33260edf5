// What is told once it is in the journal: steps of tasks, and what is published with a key. And
// what is recorded with the events that it goes with.

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/registry/registry_inside.hpp"
#include "actors/supervision/pass_on.hpp"

namespace herald {

namespace {

/// Pause before what could not be written is recorded again.
constexpr std::chrono::milliseconds step_retry{1000};

} // namespace

result<publish_receipt> connection_registry::on_publish_recorded(publish_recorded& command) {
  if (auto error = refuse(command.what)) {
    record(std::move(command.entries));
    return error;
  }
  const auto first = state_->ids.next(command.what.drafts.size());
  return say(command.what, first, std::move(command.entries));
}

void connection_registry::on_step(const publish_step& command) {
  state_->steps.add(command);
  write_steps();
}

/// Says a batch that is not refused any more once it is in the file together with its answer.
result<publish_receipt> connection_registry::say_once(publish& command) {
  auto& state = *state_;
  if (state.steps.is_stuck())
    return fail(state.steps_failed.code, state.steps_failed.detail);
  const auto ticket = ++state.last_ticket;
  auto answer = self_->make_response_promise<publish_receipt>();
  state.publishers.add(ticket, {{answer, {}}, 0}, {.other = true});
  step_queue::item said;
  said.drafts = std::move(command.drafts);
  said.once = std::move(command.once);
  said.longest_wait = command.wait ? command.longest_wait : std::chrono::milliseconds{0};
  said.publisher = ticket;
  state.steps.add(std::move(said));
  write_steps();
  return answer;
}

/// What a claim has published is answered for when it is written, or cannot be.
void connection_registry::on_release(const release_claim& order) {
  if (!pass_on(order) && !state_->steps.has(order.claim))
    caf::anon_send(order.listener, claim_released{order.claim});
}

/// Records what waits, under ids above all that are given out until it is written: streams get the
/// events in the order of their ids, and nobody waits for the disk meanwhile.
void connection_registry::write_steps() {
  auto& state = *state_;
  if (state.steps.is_due()) {
    if (const auto first = state.ids.plan(state.steps.events())) {
      state.steps.begin(*first);
    } else {
      // Goes on when the answer is here.
      std::vector<journal_entry> entries;
      const auto ticket = ++state.last_ticket;
      reserve_ids(entries, ticket);
      if (!entries.empty())
        record(std::move(entries), ticket);
    }
  }
  if (state.steps.is_stuck())
    record_steps();
}

void connection_registry::record_steps() {
  auto& state = *state_;
  auto& batch = state.steps.writing();
  const auto now = self_->clock().now();
  std::vector<journal_entry> entries;
  entries.reserve(batch.items.size() + 2);
  std::size_t events = 0;
  std::size_t bytes = 0;
  for (auto& one : batch.items) {
    events += one.drafts.size();
    bytes += step_queue::bytes_of(one);
    if (one.once) {
      entries.emplace_back(keyed_entry(one));
      continue;
    }
    const auto& what = one.drafts.front();
    events_kept told{{}, std::chrono::system_clock::now()};
    told.events.push_back({ordered_event(draft{what}, one.first, now), what.to, what.ttl, now});
    entries.emplace_back(step_kept{*one.task, std::move(told)});
  }
  const auto ticket = ++state.last_ticket;
  add_evictions(entries);
  reserve_ids(entries, ticket);
  state.unwritten.add(ticket, events, bytes);
  count_unwritten();
  state.steps.note_ticket(ticket);
  record(std::move(entries), ticket);
}

/// What a publisher is told: its ids, and the streams that there are now.
publish_receipt connection_registry::count(const step_queue::item& one) const {
  publish_receipt receipt;
  auto id = one.first;
  for (const auto& d : one.drafts) {
    receipt.ids.push_back(id);
    ++id.value;
    receipt.recipients += state_->table.measure(d.to).connections;
  }
  return receipt;
}

batch_kept connection_registry::keyed_entry(step_queue::item& one) {
  const auto now = self_->clock().now();
  const auto wall = std::chrono::system_clock::now();
  one.receipt = count(one);
  one.answer = std::make_shared<const kept_answer>(one.once->answer_of(one.receipt));
  batch_kept entry{{{}, wall}, {}, {one.once->key.key, one.once->key.seed, one.answer, wall}};
  auto id = one.first;
  for (const auto& d : one.drafts) {
    const kept_event what{ordered_event(draft{d}, id, now), d.to, d.ttl, now};
    ++id.value;
    if (d.value == retention::keep)
      entry.values.emplace_back(value_kept{what, wall});
    else if (d.value == retention::forget)
      entry.values.emplace_back(value_dropped{d.to->topics.front()});
    if (d.history)
      entry.told.events.push_back(what);
  }
  return entry;
}

/// The journal has answered for tickets. What it has left out is lost.
void connection_registry::steps_recorded(const entries_recorded& fact) {
  auto& steps = state_->steps;
  const auto ticket = steps.writing().ticket;
  if (ticket != 0 && ticket <= fact.last) {
    const bool lost = ticket < fact.first;
    if (!lost && fact.why.code == ec::none)
      tell_steps();
    else if (lost)
      retry_steps({ec::actor_failed, "the journal has failed", {}}, true);
    else
      retry_steps(fact.why, fact.perhaps);
  }
  // Also where ids were missing.
  if (steps.is_due())
    write_steps();
}

void connection_registry::tell_steps() {
  auto batch = state_->steps.take_written();
  state_->ids.pass_planned(batch.ids);
  publish told;
  event_id first;
  const auto tell = [&] {
    if (told.drafts.empty())
      return;
    auto routed = route(told, first);
    send(routed);
    told.drafts.clear();
  };
  for (auto& one : batch.items) {
    if (one.once || first.value + told.drafts.size() != one.first.value)
      tell();
    if (one.once) {
      tell_keyed(one);
      continue;
    }
    if (told.drafts.empty())
      first = one.first;
    told.drafts.push_back(std::move(one.drafts.front()));
  }
  tell();
  for (const auto& one : batch.items)
    if (one.listener)
      caf::anon_send(one.listener, step_published{one.number, {ec::none, {}, {}}});
}

/// What was published with a key is in the file with its answer.
void connection_registry::tell_keyed(step_queue::item& one) {
  auto& state = *state_;
  publish told;
  told.drafts = std::move(one.drafts);
  auto routed = route(told, one.first);
  auto* const publisher = state.publishers.find(one.publisher);
  const bool waits = publisher != nullptr && one.longest_wait.count() != 0 && routed.transports > 0;
  send(routed, waits ? one.publisher : ticket_id{0}, self_->clock().now() + one.longest_wait);
  // Written once more: what others have said to the topic meanwhile came before, and is in the file
  // behind it.
  if (!routed.more.empty()) {
    expire_values();
    record(std::move(routed.more));
  }
  caf::anon_send(one.once->key.listener, claim_answered{one.once->key.claim, one.answer});
  if (publisher == nullptr)
    return;
  publisher->value = one.receipt;
  if (waits) {
    publisher->transports = routed.transports;
    remind_of(one.publisher, one.longest_wait + settle_grace);
  } else {
    stop_waiting(one.publisher);
  }
}

/// Steps are written again. Publishers are told; what they have said is forgotten, unless it may be
/// in the file: that is written again, too, under its ids, so that it is known what their keys
/// stand for.
void connection_registry::retry_steps(const failure& why, bool perhaps) {
  auto& state = *state_;
  auto& steps = state.steps;
  state.steps_failed = why;
  steps.note_failure(perhaps);
  const auto answer = [&](step_queue::item& one) {
    if (auto publisher = state.publishers.remove(std::exchange(one.publisher, 0)))
      publisher->give(why);
  };
  for (auto& one : steps.take_unwritten()) {
    answer(one);
    caf::anon_send(one.once->key.listener, claim_released{one.once->key.claim});
  }
  if (steps.writing().items.empty()) {
    state.ids.unplan();
    return;
  }
  for (auto& one : steps.writing().items)
    if (one.once)
      answer(one);
    else
      caf::anon_send(one.listener, step_published{one.number, why});
  self_->delayed_send(caf::actor_cast<interface>(self_), step_retry, record_steps_again{});
}

} // namespace herald
