// Steps of tasks, which are told once they are in the journal, and what is recorded with the events
// that it goes with.

#include <utility>

#include "actors/registry/registry_inside.hpp"

namespace herald {

namespace {

/// Pause before steps that could not be written are recorded again.
constexpr std::chrono::milliseconds step_retry{1000};

std::size_t bytes_of(const publish_step& step) {
  return sizeof(event) + step.what.name.size() + step.what.data.size();
}

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

/// Records the steps that wait, under ids above all that are given out until they are written:
/// streams get them in the order of their ids, and nobody waits for the disk meanwhile.
void connection_registry::write_steps() {
  auto& state = *state_;
  if (state.steps.is_due()) {
    if (const auto first = state.ids.plan(state.steps.waiting())) {
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
  const auto& batch = state.steps.writing();
  const auto now = self_->clock().now();
  std::vector<journal_entry> entries;
  entries.reserve(batch.steps.size() + 2);
  std::size_t bytes = 0;
  auto id = batch.first;
  for (const auto& step : batch.steps) {
    auto to = step.what.to;
    events_kept told{{}, std::chrono::system_clock::now()};
    told.events.push_back(
      {ordered_event(draft{step.what}, id, now), std::move(to), step.what.ttl, now});
    entries.emplace_back(step_kept{step.task, std::move(told)});
    bytes += bytes_of(step);
    ++id.value;
  }
  const auto ticket = ++state.last_ticket;
  add_evictions(entries);
  reserve_ids(entries, ticket);
  state.unwritten.add(ticket, batch.steps.size(), bytes);
  count_unwritten();
  state.steps.note_ticket(ticket);
  record(std::move(entries), ticket);
}

/// The journal has answered for tickets. What it has left out is lost.
void connection_registry::steps_recorded(const entries_recorded& fact) {
  auto& steps = state_->steps;
  const auto ticket = steps.writing().ticket;
  if (ticket != 0 && ticket <= fact.last) {
    if (ticket >= fact.first && fact.why.code == ec::none)
      tell_steps();
    else
      retry_steps(
        ticket < fact.first ? failure{ec::actor_failed, "the journal has failed", {}} : fact.why);
  }
  // Also where ids were missing.
  if (steps.is_due())
    write_steps();
}

void connection_registry::tell_steps() {
  auto batch = state_->steps.take_written();
  state_->ids.pass_planned(batch.steps.size());
  publish told;
  for (auto& step : batch.steps)
    told.drafts.push_back(std::move(step.what));
  auto routed = route(told, batch.first);
  send(routed);
  for (const auto& step : batch.steps)
    caf::anon_send(step.listener, step_published{step.number, {ec::none, {}, {}}});
}

void connection_registry::retry_steps(const failure& why) {
  state_->steps.note_ticket(0);
  for (const auto& step : state_->steps.writing().steps)
    caf::anon_send(step.listener, step_published{step.number, why});
  self_->delayed_send(caf::actor_cast<interface>(self_), step_retry, record_steps_again{});
}

} // namespace herald
