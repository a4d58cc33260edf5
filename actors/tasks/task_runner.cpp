#include "actors/tasks/task_runner.hpp"

#include <algorithm>
#include <utility>

#include "actors/tasks/task_runner_state.hpp"
#include "messages/text/utf8.hpp"

namespace herald {

namespace {

/// An error for what the table has refused.
caf::error refused(ec code) {
  switch (code) {
  case ec::no_such_task:
    return fail(code, "no task has this id");
  case ec::task_ended:
    return fail(code, "the task has ended already");
  case ec::task_not_ended:
    return fail(code, "the task has not ended; cancel it first");
  default:
    return fail(code, "the task is in no state for this");
  }
}

std::string list_text(const std::vector<std::string>& types) {
  std::string text;
  for (const auto& type : types)
    text.append(text.empty() ? "" : ", ").append(type);
  return text;
}

} // namespace

task_runner::task_runner(self_pointer<interface> self, std::shared_ptr<state> kept)
  : self_(self),
    state_(std::move(kept)) {
  const auto me = caf::actor_cast<task_runner_actor>(self_);
  while (state_->workers.size() < state_->options.workers)
    state_->workers.push_back(state_->make_worker(me, state_->workers.size()));
  if (const auto damage = state_->tasks.check())
    throw state_damaged(*damage);
  take_up_former();
  after_change();
}

task_runner::shell_type::behavior_type task_runner::behavior(shell_type& s) {
  return {
    s.refusable(&task_runner::start),
    s.refusable(&task_runner::get),
    s.refusable(&task_runner::list),
    s.refusable(&task_runner::cancel),
    s.refusable(&task_runner::remove),
    s.refusable(&task_runner::external_progressed),
    s.refusable(&task_runner::external_completed),
    s.refusable(&task_runner::external_failed),
    s.repeatable(&task_runner::progressed),
    s.repeatable(&task_runner::finished),
    s.repeatable(&task_runner::idle),
    s.on(&task_runner::shut_down),
    s.on(&task_runner::abort_all),
    s.repeatable(&task_runner::timer),
    s.repeatable(&task_runner::recorded),
    s.repeatable(&task_runner::published),
    s.control(),
  };
}

result<task_view> task_runner::start(const start_task& command) {
  if (command.planned)
    if (const auto* known = shown(*command.planned)) {
      bool unwritten = false;
      state_->unwritten.for_each(
        [&](const state::unwritten_task& one) { unwritten |= one.order.id == known->id; });
      if (unwritten)
        return fail(ec::overloaded, "the task of this key is being started");
      return *known;
    }
  if (auto error = refusal(command))
    return error;
  const auto id = command.planned ? *command.planned : state_->mint_id();
  const bool external = command.type == external_type;
  if (!state_->tasks.add(id, command.type, external, state_->listeners_of(command)))
    return fail(ec::internal, "a random id was given out twice");
  if (state_->journal)
    return launch_when_written({id, command.type, command.params_json});
  launch({id, command.type, command.params_json});
  // Shown as it is before a worker may get it: a task from a worker's hands is always pending here.
  auto view = *state_->tasks.find(id);
  after_change();
  return view;
}

result<task_view> task_runner::get(const get_task& query) {
  const auto* task = shown(query.id);
  if (task == nullptr)
    return refused(ec::no_such_task);
  return *task;
}

task_page task_runner::list(const list_tasks& query) {
  auto page = state_->tasks.list(query.after, query.limit);
  if (!state_->steps.empty())
    for (auto& task : page.tasks)
      task = *shown(task.id);
  return page;
}

result<task_view> task_runner::cancel(const cancel_task& command) {
  if (const auto code = state_->tasks.cancel(command.id, now()); code != ec::none)
    return refused(code);
  state_->queue.withdraw(command.id);
  call_off(command.id);
  after_change();
  return answer_when_written(command.id);
}

result<void> task_runner::remove(const remove_task& command) {
  if (const auto* task = shown(command.id); task != nullptr && !is_final(task->status))
    return refused(ec::task_not_ended);
  if (const auto code = state_->tasks.remove(command.id); code != ec::none)
    return refused(code);
  after_change();
  return {};
}

result<task_view> task_runner::external_progressed(const report_progress& report) {
  const auto* task = state_->tasks.find(report.id);
  const bool of_program = task != nullptr && state_->options.commands.contains(task->type);
  if (auto error = of_program ? caf::error{} : not_external(report.id))
    return error;
  if (of_program && is_final(task->status))
    return refused(ec::task_ended);
  const auto limit = state_->limit_of(external_type);
  if (limit && !of_program)
    state_->deadlines.set(report.id, now().at + *limit);
  progressed({report.id, report.value, report.text});
  return *shown(report.id);
}

result<task_view> task_runner::external_completed(const report_completion& report) {
  if (auto error = not_external(report.id))
    return error;
  finished({report.id, report.result_json, std::nullopt});
  return answer_when_written(report.id);
}

result<task_view> task_runner::external_failed(const report_failure& report) {
  if (auto error = not_external(report.id))
    return error;
  finished({report.id, {}, report.error});
  return answer_when_written(report.id);
}

void task_runner::progressed(const task_progressed& report) {
  if (!state_->tasks.progress(report.id, report.value, report.text))
    return;
  pace_progress(report.id);
  after_change();
}

void task_runner::finished(const task_finished& report) {
  const auto code =
    report.error
      ? state_->tasks.fail(report.id, utf8_front(*report.error, max_task_error_bytes), now())
      : state_->tasks.complete(report.id, report.result_json, now());
  if (code != ec::none)
    return; // Stale: the task has ended in another way meanwhile.
  conclude(report.id, state_->options.publish_errors ? std::nullopt : report.public_error);
  after_change();
}

void task_runner::idle(const worker_idle& report) {
  const auto had = state_->queue.release(report.worker);
  if (had)
    state_->not_handed_over.erase(*had);
  // A worker that is idle without having finished has lost its task.
  if (had && state_->tasks.fail(*had, "the worker of this task failed", now()) == ec::none)
    conclude(*had);
  after_change();
}

result<void> task_runner::shut_down(const begin_shutdown&) {
  refuse_work();
  return answer_when_quiet();
}

result<void> task_runner::abort_all(const abort_all_tasks&) {
  refuse_work();
  for (const auto& id : state_->tasks.running_ids())
    if (state_->tasks.fail(id, "shutting down", now()) == ec::none)
      call_off(id);
  return answer_when_quiet();
}

void task_runner::timer(const task_timer& due) {
  auto& s = *state_;
  if (due.number != s.alarm_number)
    return;
  s.alarm.reset();
  const auto at = now().at;
  while (const auto id = s.pace.take_due(at))
    tell_progress(*id);
  while (const auto id = s.deadlines.take_due(at))
    time_out(*id);
  if (s.silent_again && *s.silent_again <= at)
    record_silent_steps_again();
  s.tasks.expire(at);
  after_change();
}

caf::error task_runner::refusal(const start_task& command) {
  auto& s = *state_;
  if (s.shutting_down)
    return fail(ec::shutting_down, "no new tasks are taken");
  if (std::find(s.types.begin(), s.types.end(), command.type) == s.types.end())
    return fail(ec::unknown_task_type, "no such type; there are: " + list_text(s.types), "type");
  if (command.type == external_type) {
    if (s.tasks.running_external() < s.options.max_external)
      return {};
    s.counts.refused_external.Increment();
    return fail(ec::overloaded, "too many external tasks are running");
  }
  if (s.queue.any_free() || s.tasks.pending() < s.options.max_pending)
    return {};
  s.counts.refused_pending.Increment();
  return fail(ec::overloaded, "too many tasks are waiting for a worker");
}

caf::error task_runner::not_external(const task_id& id) const {
  const auto* task = state_->tasks.find(id);
  if (task == nullptr)
    return refused(ec::no_such_task);
  if (!state_->tasks.is_external(id))
    return fail(ec::task_not_external, "herald itself does the work of this task");
  if (is_final(task->status))
    return refused(ec::task_ended);
  return {};
}

const task_view* task_runner::shown(const task_id& id) const {
  const auto* task = state_->tasks.find(id);
  const auto* before = task != nullptr ? state_->steps.shown(id) : nullptr;
  return before != nullptr ? before : task;
}

result<void> task_runner::answer_when_quiet() {
  auto promise = self_->make_response_promise();
  state_->waiting_for_quiet.push_back(promise);
  after_change();
  return promise;
}

supervised<task_runner_actor> spawn_task_runner(
  caf::actor_system& system, shell_options shell, task_options options, publisher_actor publisher,
  metrics& numbers, task_worker_factory workers, task_memory memory) {
  auto kept = std::make_shared<task_runner::state>(
    std::move(options), std::move(publisher), numbers, std::move(workers),
    std::move(memory.journal), std::move(memory.recorder), std::move(memory.watcher));
  kept->restore(std::move(memory.tasks), {system.clock().now(), std::chrono::system_clock::now()});
  return spawn_supervised<task_runner::interface, task_runner>(
    system, std::move(shell), [kept](self_pointer<task_runner::interface> self) {
      return std::make_unique<task_runner>(self, kept);
    });
}

} // namespace herald
