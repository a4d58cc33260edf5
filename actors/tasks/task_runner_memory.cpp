// What the tasks of a herald leave for its next life, and what the next life makes of it.

#include <algorithm>
#include <utility>

#include "actors/tasks/task_runner.hpp"
#include "actors/tasks/task_runner_state.hpp"

namespace herald {

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

void task_runner::record(const task_id& id, std::string params_json) {
  auto& s = *state_;
  if (!s.journal)
    return;
  record_entries command;
  command.entries.emplace_back(task_kept{*s.tasks.find(id), std::move(params_json)});
  caf::anon_send(s.journal, std::move(command));
}

/// Asks to be told when all is written that was recorded before.
ticket_id task_runner::await_journal() {
  auto& s = *state_;
  record_entries command;
  command.ticket = ++s.last_ticket;
  command.listener = caf::actor_cast<journal_listener_actor>(self_);
  caf::anon_send(s.journal, std::move(command));
  return s.last_ticket;
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
  const auto& view = *s.tasks.find(id);
  if (!s.journal)
    return view;
  auto answer = self_->make_response_promise<task_view>();
  s.waiting_for_journal.emplace(await_journal(), state::unwritten{answer, view, std::nullopt});
  return answer;
}

result<task_view> task_runner::launch_when_written(run_task order) {
  auto answer = self_->make_response_promise<task_view>();
  record(order.id, order.params_json);
  state_->waiting_for_journal.emplace(
    await_journal(), state::unwritten{answer, {}, std::move(order)});
  return answer;
}

void task_runner::recorded(const entries_recorded& fact) {
  auto& s = *state_;
  const bool good = fact.why.code == ec::none;
  for (auto ticket = fact.first; ticket <= fact.last; ++ticket) {
    auto found = s.waiting_for_journal.extract(ticket);
    if (!found)
      continue;
    auto& [answer, view, order] = found.mapped();
    if (order) {
      const auto id = order->id;
      const auto* task = s.tasks.find(id);
      // One that was cancelled meanwhile has ended already.
      if (task != nullptr && task->status == task_status::pending)
        good ? launch(*std::move(order)) : static_cast<void>(s.tasks.withdraw(id));
      // Shown as it is before a worker may get it.
      if (const auto* now_known = s.tasks.find(id))
        view = *now_known;
    }
    if (good)
      answer.deliver(std::move(view));
    else
      answer.deliver(fail(fact.why.code, fact.why.detail));
  }
  settle();
}

} // namespace herald
