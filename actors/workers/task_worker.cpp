#include "actors/workers/task_worker.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "messages/wire/task_json.hpp"

namespace herald {

namespace {

constexpr const char* component = "task-worker";

} // namespace

task_worker::task_worker(self_pointer<interface> self, std::shared_ptr<state> kept)
  : self_(self),
    state_(std::move(kept)) {
  // A former inside may have left a command with the host.
  if (state_->host)
    state_->host->release(state_->number, state_->runner);
  else
    say_idle();
}

task_worker::shell_type::behavior_type task_worker::behavior(shell_type& s) {
  return {
    s.on(&task_worker::run),
    s.on(&task_worker::abort),
    s.on(&task_worker::timer),
    s.control(),
  };
}

void task_worker::run(const run_task& order) {
  const auto command = state_->options->commands.find(order.type);
  if (command != state_->options->commands.end()) {
    run_command(order, command->second);
    return;
  }
  auto params = parse_pause_params(order.params_json);
  if (!params) {
    const auto why = describe(params.error());
    finish({order.id, {}, why.field + " " + why.detail});
    return;
  }
  work_ = pausing{order.id, order.type == failing_type, *params, 0};
  pause();
}

void task_worker::abort(const abort_task& order) {
  if (state_->host)
    state_->host->abort(order.id);
  if (!work_ || work_->id != order.id)
    return;
  work_.reset();
  say_idle();
}

void task_worker::timer(const task_timer& due) {
  if (!work_ || due.number != state_->timer_number)
    return;
  auto& work = *work_;
  if (work.fails) {
    finish({work.id, {}, work.params.error_message.value_or("this task type always fails")});
    return;
  }
  ++work.done;
  caf::anon_send(
    state_->runner,
    task_progressed{
      work.id, static_cast<double>(work.done) / work.params.steps,
      "step " + std::to_string(work.done) + " of " + std::to_string(work.params.steps)});
  if (work.done < work.params.steps)
    pause();
  else
    finish({work.id, pauses_json(static_cast<std::size_t>(work.params.steps)), std::nullopt});
}

void task_worker::run_command(const run_task& order, const command_type& command) {
  auto variables = state_->options->environment;
  for (const auto& [name, value] : command.env)
    variables[name] = value;
  if (state_->options->variables_of)
    for (auto& [name, value] : state_->options->variables_of(order.id))
      variables[name] = std::move(value);
  variables["HERALD_TASK_ID"] = order.id.str();
  variables["HERALD_TASK_TYPE"] = order.type;
  const auto& options = *state_->options;
  const auto cpu = std::chrono::duration_cast<std::chrono::seconds>(options.max_cpu_s).count();
  child_command program{
    command.argv,
    command.cwd,
    std::move(variables),
    options.keeper,
    {options.max_memory_bytes, static_cast<std::size_t>(cpu), options.max_file_bytes}};
  state_->host->start(
    {order.id, state_->number, std::move(program), order.params_json + "\n", state_->runner});
}

void task_worker::pause() {
  const auto delay = std::chrono::ceil<std::chrono::microseconds>(
    std::chrono::duration<double>(work_->params.delay));
  const task_timer due{++state_->timer_number};
  if (delay.count() == 0)
    self_->send(self_, due);
  else
    self_->delayed_send(self_, delay, due);
}

void task_worker::finish(task_finished report) {
  log::debug(
    component, "work_ended", {{"task_id", report.id.str()}, {"failed", bool{report.error}}});
  caf::anon_send(state_->runner, std::move(report));
  work_.reset();
  say_idle();
}

void task_worker::say_idle() {
  caf::anon_send(state_->runner, worker_idle{state_->number});
}

task_worker_factory task_workers(
  caf::actor_system& system, const task_options& options, metrics& numbers, shell_options each) {
  auto shared = std::make_shared<const task_options>(options);
  std::shared_ptr<command_host> host;
  if (!options.commands.empty())
    host = std::make_shared<command_host>(
      command_host_options{options.kill_after_ms, options.progress_interval / 2}, numbers);
  return [&system, shared, host,
          each = std::move(each)](const task_runner_actor& runner, std::size_t number) {
    auto kept =
      std::make_shared<task_worker::state>(task_worker::state{runner, number, shared, host, 0});
    return spawn_supervised<task_worker::interface, task_worker>(
      system, one_of_many(each, number), [kept](self_pointer<task_worker::interface> self) {
        return std::make_unique<task_worker>(self, kept);
      });
  };
}

} // namespace herald
