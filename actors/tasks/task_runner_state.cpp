#include "actors/tasks/task_runner_state.hpp"

#include <algorithm>
#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include "messages/ids.hpp"

namespace herald {

task_runner::state::state(
  task_options opts, publisher_actor to, metrics& numbers, task_worker_factory make,
  journal_actor log, recorder_actor rec, watcher_actor who)
  : options(std::move(opts)),
    types(task_types(options)),
    publisher(std::move(to)),
    journal(std::move(log)),
    recorder(std::move(rec)),
    watcher(std::move(who)),
    make_worker(std::move(make)),
    tasks({options.retention_s, options.max_ended, options.max_ended_bytes}),
    queue(options.workers),
    pace(options.progress_interval),
    counts(options, numbers) {}

task_runner::state::~state() {
  for (const auto& worker : workers)
    caf::anon_send_exit(worker, caf::exit_reason::kill);
}

void task_runner::state::restore(std::vector<task_kept>&& kept, const task_moment& now) {
  // Its wall time in this life's time; a clock that was set back makes it no younger than now.
  const auto moment = [&now](const std::optional<wall_time>& at) {
    return now.at - std::max(now.wall - at.value_or(now.wall), wall_time::duration{0});
  };
  std::vector<task_table::former> all;
  for (auto& [task, params] : kept) {
    if (!is_final(task.status))
      former.push_back({task.id, task.type, std::move(params)});
    const auto started = moment(task.start_time);
    const auto ended = moment(task.end_time);
    const bool external = task.type == external_type;
    all.push_back({std::move(task), external, started, ended});
  }
  tasks.restore(std::move(all));
  tasks.expire(now.at);
}

task_table::listeners task_runner::state::listeners_of(const start_task& command) const {
  const bool names_nobody = !command.to || command.to->everyone();
  if (names_nobody && options.audience == task_audience::none)
    return {nullptr, false};
  return {command.to, true};
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
  auto limit = type == external_type ? options.external_timeout_s : options.timeout_s;
  if (const auto command = options.commands.find(type); command != options.commands.end())
    limit = command->second.timeout_s.value_or(limit);
  if (limit.count() <= 0)
    return std::nullopt;
  return limit;
}

std::optional<task_runner::state::time_point> task_runner::state::next_due() const {
  std::optional<time_point> earliest;
  for (const auto& due : {deadlines.next(), tasks.next_expiry(), pace.next(), silent_again})
    if (due && (!earliest || *due < *earliest))
      earliest = due;
  return earliest;
}

} // namespace herald
