// The runner's records in the journal, and what it makes of those of a former life.

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

void task_runner::record_forgotten() {
  auto& s = *state_;
  record_entries command;
  for (auto& id : s.tasks.take_forgotten())
    command.entries.emplace_back(task_dropped{std::move(id)});
  if (s.journal && !command.entries.empty())
    caf::anon_send(s.journal, std::move(command));
}

result<task_view> task_runner::answer_when_written(const task_id& id) {
  const auto& view = *state_->tasks.find(id);
  if (!state_->journal)
    return view;
  return await_journal(view, std::nullopt);
}

result<task_view> task_runner::launch_when_written(run_task order) {
  record(order.id, order.params_json);
  return await_journal({}, std::move(order));
}

/// The answer comes when all is written that was recorded before.
result<task_view> task_runner::await_journal(task_view view, std::optional<run_task> order) {
  auto& s = *state_;
  auto answer = self_->make_response_promise<task_view>();
  const auto ticket = ++s.last_ticket;
  s.unwritten.add(ticket, {{answer, std::move(view)}, std::move(order)}, {.journal = true});
  caf::anon_send(
    s.journal, record_entries{{}, ticket, caf::actor_cast<journal_listener_actor>(self_)});
  return answer;
}

void task_runner::recorded(const entries_recorded& fact) {
  auto& tasks = state_->tasks;
  state_->unwritten.journal_answered(fact, [&](state::unwritten_task& one, const failure& why) {
    if (auto& order = one.order) {
      const auto id = order->id;
      const auto* task = tasks.find(id);
      // A task that was cancelled meanwhile has ended already.
      if (task != nullptr && task->status == task_status::pending)
        why.code == ec::none ? launch(*std::move(order)) : static_cast<void>(tasks.withdraw(id));
      // Shown as it is before a worker may get it.
      if (const auto* now_known = tasks.find(id))
        one.value = *now_known;
    }
    one.give(why);
  });
  after_change();
}

} // namespace herald
