// The runner's records in the journal, and what it makes of those of a former life.

#include <algorithm>
#include <utility>

#include "actors/tasks/task_runner.hpp"
#include "actors/tasks/task_runner_state.hpp"

namespace herald {

namespace {

/// Pause before steps that nobody is told of are recorded again.
constexpr std::chrono::milliseconds silent_retry{1000};

} // namespace

/// Tasks that waited wait again, and external ones go on. Of one that was at work nobody knows how
/// far it has come: it has failed.
void task_runner::take_up_former() {
  auto& s = *state_;
  for (auto& order : std::exchange(s.former, {})) {
    const auto id = order.id;
    const bool running = s.tasks.find(id)->status == task_status::running;
    const bool external = s.tasks.is_external(id);
    const bool known = std::find(s.types.begin(), s.types.end(), order.type) != s.types.end();
    if (running && external) {
      if (const auto limit = s.limit_of(order.type))
        s.deadlines.set(id, now().at + *limit);
    } else if (running || !known) {
      const auto* const why =
        running ? "interrupted by a restart" : "its type is not known any more";
      if (s.tasks.fail(id, why, now()) == ec::none)
        conclude(id);
    } else {
      launch(std::move(order));
    }
  }
}

void task_runner::record(const task_id& id) {
  auto& s = *state_;
  if (!s.journal)
    return;
  record_entries command;
  command.entries.emplace_back(task_kept{*s.tasks.find(id), {}});
  caf::anon_send(s.journal, std::move(command));
}

void task_runner::record_silently(const task_id& id) {
  auto& s = *state_;
  const auto ticket = ++s.last_ticket;
  s.silent.recorded(id, ticket);
  record_entries command{{}, ticket, caf::actor_cast<journal_listener_actor>(self_)};
  command.entries.emplace_back(task_kept{*s.steps.find(*s.steps.last_of(id)), {}});
  caf::anon_send(s.journal, std::move(command));
}

void task_runner::record_silent_steps_again() {
  state_->silent_again.reset();
  for (const auto& id : state_->silent.failed())
    record_silently(id);
}

void task_runner::silent_steps_recorded(const entries_recorded& fact) {
  auto& s = *state_;
  s.silent.journal_answered(
    fact,
    [&](const task_id& id) {
      while (const auto number = s.steps.first_of(id))
        published({*number, {ec::none, {}, {}}});
    },
    [&](const task_id& id, const failure& why) {
      for (const auto number : {s.steps.first_of(id), s.steps.last_of(id)})
        published({number.value_or(0), why});
      s.silent_again = now().at + silent_retry;
    });
}

void task_runner::record_forgotten() {
  auto& s = *state_;
  record_entries command;
  for (auto& id : s.tasks.take_forgotten())
    command.entries.emplace_back(task_dropped{std::move(id)});
  if (s.journal && !command.entries.empty())
    caf::anon_send(s.journal, std::move(command));
}

result<task_view> task_runner::answer_when_written(const task_id& id) {
  auto& s = *state_;
  const auto step = s.steps.last_of(id);
  if (!step)
    return *s.tasks.find(id);
  auto answer = self_->make_response_promise<task_view>();
  s.waiting_for_steps.emplace(*step, answer);
  return answer;
}

/// The answer comes when all is written that was recorded before.
result<task_view> task_runner::launch_when_written(run_task order) {
  auto& s = *state_;
  auto answer = self_->make_response_promise<task_view>();
  const auto ticket = ++s.last_ticket;
  record_entries command{{}, ticket, caf::actor_cast<journal_listener_actor>(self_)};
  command.entries.emplace_back(task_kept{*s.tasks.find(order.id), order.params_json});
  s.unwritten.add(ticket, {{answer}, std::move(order)}, {.journal = true});
  caf::anon_send(s.journal, std::move(command));
  return answer;
}

void task_runner::recorded(const entries_recorded& fact) {
  auto& s = *state_;
  s.unwritten.journal_answered(fact, [&](state::unwritten_task& one, const failure& why) {
    const auto id = one.order.id;
    const auto* task = s.tasks.find(id);
    // A task that was cancelled meanwhile has ended already.
    if (task != nullptr && task->status == task_status::pending)
      why.code == ec::none ? launch(std::move(one.order)) : static_cast<void>(s.tasks.withdraw(id));
    // An external task runs from its start on; any other is shown as it is before a worker may get
    // it.
    const auto begun = s.tasks.is_external(id) ? s.steps.last_of(id) : std::nullopt;
    if (begun && why.code == ec::none) {
      s.waiting_for_steps.emplace(*begun, one.to);
      return;
    }
    if (const auto* now_known = shown(id))
      one.value = *now_known;
    one.give(why);
  });
  silent_steps_recorded(fact);
  after_change();
}

void task_runner::published(const step_published& fact) {
  auto& s = *state_;
  const auto give_answers = [&](const auto& answer) {
    const auto [from, to] = s.waiting_for_steps.equal_range(fact.number);
    for (auto it = from; it != to; it = s.waiting_for_steps.erase(it))
      it->second.deliver(answer());
  };
  if (fact.why.code != ec::none) {
    give_answers([&] { return fail(fact.why.code, fact.why.detail); });
    return;
  }
  const auto* step = s.steps.find(fact.number);
  if (step == nullptr)
    return;
  const auto id = step->id;
  give_answers([&] { return *step; });
  if (is_final(step->status))
    tell_watcher(*step);
  s.steps.written(fact.number);
  if (const auto order = s.not_handed_over.find(id); order != s.not_handed_over.end()) {
    hand_over(std::move(order->second));
    s.not_handed_over.erase(order);
  }
  const auto* task = s.tasks.find(id);
  // Forgotten before its end was written: for want of room.
  if (task == nullptr && s.journal)
    caf::anon_send(s.journal, record_entries{{task_dropped{id}}, 0, {}});
  else if (!s.steps.first_of(id) && s.untold_progress.erase(id) != 0)
    pace_progress(id);
  after_change();
}

} // namespace herald
