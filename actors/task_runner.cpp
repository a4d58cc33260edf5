#include "actors/task_runner.hpp"

#include <algorithm>

#include "actors/task_runner_state.hpp"
#include "messages/ids.hpp"
#include "messages/task_input.hpp"
#include "messages/task_json.hpp"

namespace herald {

namespace {

constexpr const char* component = "task-runner";

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

task_event_type event_type_of(task_status status) {
  if (status == task_status::completed)
    return task_event_type::task_completed;
  return status == task_status::failed ? task_event_type::task_failed
                                       : task_event_type::task_cancelled;
}

draft draft_of(task_event_type type, const task_id& id, std::string data, wall_time at) {
  return {"task_event", to_json(task_event{type, id, at, std::move(data)}), {}, service_type::task};
}

draft progress_draft(const task_view& task, wall_time at) {
  return draft_of(task_event_type::progress_update, task.id, progress_json(task), at);
}

draft end_draft(const task_view& task, wall_time at) {
  std::string data = "null";
  if (task.status == task_status::completed && !task.result_json.empty())
    data = task.result_json;
  else if (task.status == task_status::failed)
    data = error_json(task.error);
  return draft_of(event_type_of(task.status), task.id, std::move(data), at);
}

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

task_runner::state::~state() {
  for (const auto& worker : workers)
    caf::anon_send_exit(worker, caf::exit_reason::kill);
}

task_id task_runner::state::mint_id() {
  const auto draw = [this] {
    return std::uint64_t{random_()} << 32 | random_();
  };
  // The version and variant bits of a random UUID (RFC 9562).
  const auto high = (draw() & ~0xf000ULL) | 0x4000ULL;
  const auto low = (draw() >> 2) | (1ULL << 63);
  return task_id{token::from_bits(high, low).str()};
}

std::optional<std::chrono::milliseconds>
task_runner::state::limit_of(const std::string& type) const {
  auto limit = type == external_type ? options.external_timeout : options.timeout;
  const auto command = options.commands.find(type);
  if (command != options.commands.end() && command->second.timeout)
    limit = *command->second.timeout;
  if (limit.count() <= 0)
    return std::nullopt;
  return limit;
}

task_runner::task_runner(self_pointer<interface> self, std::shared_ptr<state> kept)
  : self_(self),
    state_(std::move(kept)) {
  const auto me = caf::actor_cast<task_runner_actor>(self_);
  while (state_->workers.size() < state_->options.workers)
    state_->workers.push_back(state_->make_worker(me, state_->workers.size()));
  if (const auto damage = state_->tasks.check())
    throw state_damaged(*damage);
  settle();
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
    s.control(),
  };
}

result<task_view> task_runner::start(const start_task& command) {
  if (auto error = refusal(command))
    return error;
  const auto id = state_->mint_id();
  const bool external = command.type == external_type;
  if (!state_->tasks.add(id, command.type, external))
    return fail(ec::internal, "a random id was given out twice");
  if (external)
    begin(id, now());
  else
    state_->queue.push({id, command.type, command.params_json});
  // Shown as it is before a worker may get it: a task from a worker's hands is always pending here.
  auto view = *state_->tasks.find(id);
  settle();
  return view;
}

result<task_view> task_runner::get(const get_task& query) {
  const auto* task = state_->tasks.find(query.id);
  if (task == nullptr)
    return refused(ec::no_such_task);
  return *task;
}

task_page task_runner::list(const list_tasks& query) {
  return state_->tasks.list(query.after, query.limit);
}

result<task_view> task_runner::cancel(const cancel_task& command) {
  if (const auto code = state_->tasks.cancel(command.id, now()); code != ec::none)
    return refused(code);
  state_->queue.withdraw(command.id);
  auto view = *state_->tasks.find(command.id);
  conclude(command.id, true);
  settle();
  return view;
}

result<void> task_runner::remove(const remove_task& command) {
  if (const auto code = state_->tasks.remove(command.id); code != ec::none)
    return refused(code);
  settle();
  return {};
}

result<void> task_runner::external_progressed(const report_progress& report) {
  if (auto error = not_external(report.id))
    return error;
  note_progress(report.id, report.value, report.text);
  if (const auto limit = state_->limit_of(external_type))
    state_->deadlines.set(report.id, now().at + *limit);
  settle();
  return {};
}

result<void> task_runner::external_completed(const report_completion& report) {
  if (auto error = not_external(report.id))
    return error;
  finished({report.id, report.result_json, std::nullopt});
  return {};
}

result<void> task_runner::external_failed(const report_failure& report) {
  if (auto error = not_external(report.id))
    return error;
  finished({report.id, {}, report.error});
  return {};
}

void task_runner::progressed(const task_progressed& report) {
  note_progress(report.id, report.value, report.text);
  settle();
}

void task_runner::finished(const task_finished& report) {
  const auto code =
    report.error
      ? state_->tasks.fail(report.id, safe_text(*report.error, max_task_error_bytes), now())
      : state_->tasks.complete(report.id, report.result_json, now());
  if (code != ec::none)
    return; // Stale: the task has ended in another way meanwhile.
  conclude(report.id, false);
  settle();
}

void task_runner::idle(const worker_idle& report) {
  const auto had = state_->queue.release(report.worker);
  // A worker that is idle without having finished has lost its task.
  if (had && state_->tasks.fail(*had, "the worker of this task failed", now()) == ec::none)
    conclude(*had, false);
  settle();
}

result<void> task_runner::shut_down(const begin_shutdown&) {
  state_->shutting_down = true;
  cancel_pending();
  return answer_when_quiet();
}

result<void> task_runner::abort_all(const abort_all_tasks&) {
  state_->shutting_down = true;
  cancel_pending();
  for (const auto& id : state_->tasks.running_ids())
    if (state_->tasks.fail(id, "shutting down", now()) == ec::none)
      conclude(id, true);
  return answer_when_quiet();
}

void task_runner::timer(const task_timer& due) {
  auto& alarm =
    due.what == task_timer::kind::deadline ? state_->deadline_alarm : state_->progress_alarm;
  if (due.number != alarm.number)
    return;
  alarm.armed.reset();
  const auto at = now().at;
  if (due.what == task_timer::kind::progress) {
    while (const auto id = state_->progress_due.take_due(at))
      publish_progress(*id);
  } else {
    while (const auto id = state_->deadlines.take_due(at))
      time_out(*id);
    state_->tasks.expire(at);
  }
  settle();
}

task_moment task_runner::now() const {
  return {self_->clock().now(), std::chrono::system_clock::now()};
}

caf::error task_runner::refusal(const start_task& command) {
  auto& s = *state_;
  if (s.shutting_down)
    return fail(ec::shutting_down, "no new tasks are taken");
  const auto types = task_types(s.options);
  if (std::find(types.begin(), types.end(), command.type) == types.end())
    return fail(ec::unknown_task_type, "no such type; there are: " + list_text(types), "type");
  if (command.type == external_type) {
    if (s.tasks.running_external() < s.options.max_external)
      return {};
    s.counts.refused_external.Increment();
    return fail(ec::overloaded, "too many external tasks are running");
  }
  if (s.queue.any_free() || s.queue.waiting() < s.options.max_pending)
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

void task_runner::begin(const task_id& id, const task_moment& at) {
  auto& s = *state_;
  if (s.tasks.start(id, at) != ec::none)
    return;
  const auto& task = *s.tasks.find(id);
  s.runs[id].started = at.at;
  if (const auto limit = s.limit_of(task.type))
    s.deadlines.set(id, at.at + *limit);
  log::info(component, "task_started", {{"task_id", id.str()}, {"type", task.type}});
  caf::anon_send(
    s.publisher, publish{{draft_of(task_event_type::task_started, id, "null", at.wall)}});
}

void task_runner::note_progress(
  const task_id& id, double value, const std::optional<std::string>& text) {
  auto& s = *state_;
  bool changed = false;
  if (s.tasks.progress(id, value, text, changed) != ec::none || !changed)
    return;
  auto& run = s.runs[id];
  run.untold = true;
  const auto at = now().at;
  if (!run.last_progress_event || at - *run.last_progress_event >= s.options.progress_interval)
    publish_progress(id);
  else
    s.progress_due.set(id, *run.last_progress_event + s.options.progress_interval);
}

void task_runner::publish_progress(const task_id& id) {
  auto& s = *state_;
  const auto run = s.runs.find(id);
  const auto* task = s.tasks.find(id);
  if (run == s.runs.end() || task == nullptr || !run->second.untold)
    return;
  const auto at = now();
  run->second.last_progress_event = at.at;
  run->second.untold = false;
  s.progress_due.drop(id);
  caf::anon_send(s.publisher, publish{{progress_draft(*task, at.wall)}});
}

void task_runner::conclude(const task_id& id, bool abort) {
  auto& s = *state_;
  const auto& task = *s.tasks.find(id);
  const auto at = now();
  publish_progress(id);
  caf::anon_send(s.publisher, publish{{end_draft(task, at.wall)}});
  std::optional<std::chrono::steady_clock::duration> ran;
  if (const auto run = s.runs.find(id); run != s.runs.end()) {
    ran = at.at - run->second.started;
    s.runs.erase(run);
  }
  s.deadlines.drop(id);
  s.progress_due.drop(id);
  s.counts.count_end(task.type, task.status, ran);
  log::info(
    component, "task_ended",
    {{"task_id", id.str()}, {"type", task.type}, {"status", to_string(task.status)}});
  if (const auto worker = s.queue.worker_of(id); worker && abort)
    caf::anon_send(s.workers.at(*worker), abort_task{id});
}

void task_runner::cancel_pending() {
  while (const auto* waiting = state_->queue.front()) {
    const auto id = waiting->id;
    state_->queue.withdraw(id);
    if (state_->tasks.cancel(id, now()) == ec::none)
      conclude(id, false);
  }
}

void task_runner::time_out(const task_id& id) {
  auto& s = *state_;
  const auto* task = s.tasks.find(id);
  if (task == nullptr)
    return;
  const auto limit = s.limit_of(task->type).value_or(std::chrono::milliseconds{0});
  if (s.tasks.fail(id, "timed out after " + seconds_text(limit), now()) == ec::none)
    conclude(id, true);
}

void task_runner::dispatch() {
  while (auto next = state_->queue.assign()) {
    begin(next->order.id, now());
    caf::anon_send(state_->workers.at(next->worker), std::move(next->order));
  }
}

result<void> task_runner::answer_when_quiet() {
  auto promise = self_->make_response_promise();
  state_->waiting_for_quiet.push_back(promise);
  settle();
  return promise;
}

void task_runner::settle() {
  auto& s = *state_;
  dispatch();
  auto deadline = s.deadlines.next();
  if (const auto expiry = s.tasks.next_expiry(); expiry && (!deadline || *expiry < *deadline))
    deadline = expiry;
  arm(task_timer::kind::deadline, deadline);
  arm(task_timer::kind::progress, s.progress_due.next());
  s.counts.show(s.tasks.running(), s.tasks.pending(), s.tasks.size(), s.tasks.evicted());
  if (s.tasks.running() > 0 || s.queue.any_busy())
    return;
  for (auto& promise : std::exchange(s.waiting_for_quiet, {}))
    promise.deliver(caf::unit);
}

void task_runner::arm(
  task_timer::kind what, std::optional<std::chrono::steady_clock::time_point> due) {
  auto& alarm =
    what == task_timer::kind::deadline ? state_->deadline_alarm : state_->progress_alarm;
  // A timer that fires too early finds nothing to do and sets the next one.
  if (!due || (alarm.armed && *alarm.armed <= *due))
    return;
  alarm.armed = due;
  const auto wait = std::max(*due - self_->clock().now(), std::chrono::steady_clock::duration{});
  self_->delayed_send(self_, wait, task_timer{what, ++alarm.number});
}

supervised<task_runner_actor> spawn_task_runner(
  caf::actor_system& system, shell_options shell, task_options options, publisher_actor publisher,
  metrics& numbers, task_worker_factory workers) {
  auto kept = std::make_shared<task_runner::state>(
    std::move(options), std::move(publisher), numbers, std::move(workers));
  return spawn_supervised<task_runner::interface, task_runner>(
    system, std::move(shell), [kept](self_pointer<task_runner::interface> self) {
      return std::make_unique<task_runner>(self, kept);
    });
}

} // namespace herald
