// The steps in the life of tasks, each told to whom it is for, and the moments that they wait for.

#include <algorithm>
#include <utility>

#include "actors/tasks/task_runner.hpp"
#include "actors/tasks/task_runner_state.hpp"
#include "messages/text/utf8.hpp"
#include "messages/wire/task_json.hpp"

namespace herald {

namespace {

constexpr const char* component = "task-runner";

/// Longest time between two looks at what is due. A delayed message cannot be taken back: this is
/// how long one that an earlier one has made useless is around.
constexpr std::chrono::seconds longest_alarm{10};

/// The end of a command's stderr, and why it has failed.
constexpr std::size_t max_logged_error_bytes = std::size_t{8} * 1024;

/// "300 s", "0.5 s"
std::string seconds_text(std::chrono::milliseconds time) {
  auto text = std::to_string(time.count() / 1000);
  if (const auto rest = time.count() % 1000; rest != 0) {
    const auto digits = std::to_string(1000 + rest);
    text += '.';
    text.append(digits, 1, digits.find_last_not_of('0'));
  }
  return text + " s";
}

/// A task that has ended, as it was before.
task_view still_running(task_view task) {
  task.status = task_status::running;
  task.end_time.reset();
  task.result_json.clear();
  task.error.clear();
  return task;
}

} // namespace

task_moment task_runner::now() const {
  return {self_->clock().now(), std::chrono::system_clock::now()};
}

void task_runner::begin(const task_id& id) {
  auto& s = *state_;
  const auto at = now();
  if (s.tasks.start(id, at) != ec::none)
    return;
  const auto& task = *s.tasks.find(id);
  if (const auto limit = s.limit_of(task.type))
    s.deadlines.set(id, at.at + *limit);
  log::info(component, "task_started", {{"task_id", id.str()}, {"type", task.type}});
  tell_step(id, task_event_type::task_started, at.wall, "null");
}

void task_runner::launch(run_task order) {
  if (state_->tasks.is_external(order.id))
    begin(order.id);
  else
    state_->queue.push(std::move(order));
}

void task_runner::pace_progress(const task_id& id) {
  auto& s = *state_;
  s.steps.progressed(*s.tasks.find(id));
  // Nothing is told before what came before it is written.
  if (s.steps.first_of(id))
    s.untold_progress.insert(id);
  else if (s.pace.changed(id, now().at))
    tell_progress(id);
}

void task_runner::tell_progress(const task_id& id) {
  const auto& task = *state_->tasks.find(id);
  if (task.told)
    tell_step(id, task_event_type::progress_update, now().wall, progress_json(task));
  // Of all others nothing is left to go on from.
  else if (state_->tasks.is_external(id) && !is_final(task.status))
    record(id);
}

void task_runner::conclude(const task_id& id, const std::optional<std::string>& public_error) {
  auto& s = *state_;
  const auto& task = *s.tasks.find(id);
  s.deadlines.drop(id);
  const bool paced = s.pace.task_ended(id);
  if (s.untold_progress.erase(id) != 0 || paced)
    tell_progress(id);
  const auto at = task.end_time.value_or(wall_time{});
  if (task.status == task_status::completed)
    tell_step(id, task_event_type::task_completed, at, task.result_json);
  else if (task.status == task_status::failed)
    tell_step(id, task_event_type::task_failed, at, error_json(public_error.value_or(task.error)));
  else
    tell_step(id, task_event_type::task_cancelled, at, "null");
  if (!s.journal)
    tell_watcher(task);
  s.counts.count_end(task.type, task.status, s.tasks.ran(id));
  if (task.status == task_status::failed)
    log::error(
      component, "task_ended",
      {{"task_id", id.str()},
       {"type", task.type},
       {"status", to_string(task.status)},
       {"error", utf8_front(task.error, max_logged_error_bytes)}});
  else
    log::info(
      component, "task_ended",
      {{"task_id", id.str()}, {"type", task.type}, {"status", to_string(task.status)}});
}

void task_runner::call_off(const task_id& id) {
  conclude(id);
  const auto worker = state_->queue.worker_of(id);
  if (!worker)
    return;
  // One that has not got the task has nothing to stop.
  if (state_->not_handed_over.erase(id) != 0)
    (void)state_->queue.release(*worker);
  else
    caf::anon_send(state_->workers.at(*worker), abort_task{id});
}

void task_runner::refuse_work() {
  state_->shutting_down = true;
  while (const auto* waiting = state_->queue.front()) {
    const auto id = waiting->id;
    state_->queue.withdraw(id);
    if (state_->tasks.cancel(id, now()) == ec::none)
      conclude(id);
  }
  state_->unwritten.for_each([this](const state::unwritten_task& one) {
    if (state_->tasks.cancel(one.order.id, now()) == ec::none)
      conclude(one.order.id);
  });
}

void task_runner::time_out(const task_id& id) {
  auto& s = *state_;
  const auto limit = s.limit_of(s.tasks.find(id)->type).value_or(std::chrono::milliseconds{0});
  if (s.tasks.fail(id, "timed out after " + seconds_text(limit), now()) == ec::none)
    call_off(id);
}

void task_runner::tell_watcher(const task_view& ended) {
  if (state_->watcher)
    caf::anon_send(state_->watcher, task_ended{ended});
}

void task_runner::tell_step(
  const task_id& id, task_event_type what, wall_time at, std::string data_json) {
  auto& s = *state_;
  const bool told = s.tasks.find(id)->told;
  const auto& task = told ? s.tasks.note_event(id) : *s.tasks.find(id);
  const auto event = [&] {
    return draft{
      "task_event", to_json(task_event{what, id, at, std::move(data_json), task.seq}), task.to,
      service_type::task};
  };
  if (!s.journal) {
    if (told)
      caf::anon_send(s.publisher, publish{{event()}});
    return;
  }
  // The last progress is told when the end is there, and must not record that.
  auto kept = what == task_event_type::progress_update ? still_running(task) : task;
  const auto number = s.steps.add(kept, what);
  if (told)
    caf::anon_send(
      s.recorder,
      publish_step{
        number, {std::move(kept), {}}, event(), caf::actor_cast<step_listener_actor>(self_)});
  else
    record_silently(id);
}

void task_runner::dispatch() {
  while (auto next = state_->queue.assign()) {
    const auto id = next->order.id;
    begin(id);
    if (state_->steps.shown(id) != nullptr)
      state_->not_handed_over.emplace(id, std::move(next->order));
    else
      hand_over(std::move(next->order));
  }
}

void task_runner::hand_over(run_task order) {
  if (const auto worker = state_->queue.worker_of(order.id))
    caf::anon_send(state_->workers.at(*worker), std::move(order));
}

void task_runner::after_change() {
  auto& s = *state_;
  dispatch();
  record_forgotten();
  set_alarm();
  s.counts.show(s.tasks);
  if (s.tasks.running() > 0 || s.queue.any_busy() || !s.steps.empty())
    return;
  for (auto& promise : std::exchange(s.waiting_for_quiet, {}))
    promise.deliver(caf::unit);
}

void task_runner::set_alarm() {
  auto& s = *state_;
  const auto due = s.next_due();
  if (!due || (s.alarm && *s.alarm <= *due))
    return;
  const auto at = now().at;
  const auto wait = std::clamp<std::chrono::steady_clock::duration>(*due - at, {}, longest_alarm);
  s.alarm = at + wait;
  self_->delayed_send(self_, wait, task_timer{++s.alarm_number});
}

} // namespace herald
