#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "actors/tasks/task_runner.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/task_transcript.hpp"

namespace herald::testing {

/// A runner whose workers do nothing but note what they are told; the test speaks for them.
class task_runner_test : public actor_test {
protected:
  task_runner_test() {
    options.workers = 2;
    options.commands["report"] = {{"report"}, "", {}, std::chrono::milliseconds{2500}};
    options.commands["endless"] = {{"endless"}, "", {}, std::chrono::milliseconds{0}};
  }

  void spawn() {
    const auto publisher = mock<publisher_actor>([this](const publish& order) {
      events.note(order);
      return publish_receipt{};
    });
    runner = own(spawn_task_runner(
      system(), {"task-runner", {}, &numbers}, options, publisher, numbers,
      [this](const task_runner_actor&, std::size_t number) { return worker(number); }));
  }

  /// The same with workers that are ready.
  void spawn_ready() {
    spawn();
    for (std::size_t i = 0; i < options.workers; ++i)
      tell(runner, worker_idle{i});
  }

  task_worker_actor worker(std::size_t number) {
    const auto note = [this, number](const char* what, const task_id& id) {
      noted_.emplace_back(std::to_string(number) + " " + what + " ", id);
    };
    return system().spawn(
      [this, note](task_worker_actor::pointer) -> task_worker_actor::behavior_type {
        return {
          [this, note](const run_task& m) {
            last_order = m;
            note("run", m.id);
          },
          [note](const abort_task& m) {
            note("abort", m.id);
          }};
      });
  }

  /// What workers were told: "0 run a", "1 abort b". Ids are random, so tasks go by their order.
  std::vector<std::string> orders() const {
    std::vector<std::string> result;
    for (const auto& [what, id] : noted_) {
      const auto place = std::find(ids.begin(), ids.end(), id) - ids.begin();
      result.push_back(what + static_cast<char>('a' + place));
    }
    return result;
  }

  task_id start(const char* type = demo_type) {
    auto task = ask<task_view>(runner, start_task{type, "{}"});
    EXPECT_TRUE(task);
    if (!task)
      return {};
    ids.push_back(task->id);
    return task->id;
  }

  task_view get(const task_id& id) {
    auto task = ask<task_view>(runner, get_task{id});
    EXPECT_TRUE(task);
    return task ? *task : task_view{};
  }

  template <class Answer, class Command>
  ec refusal_of(Command command) {
    const auto answer = ask<Answer>(runner, std::move(command));
    return answer ? ec::none : describe(answer.error()).code;
  }

  void succeed(const task_id& id, const char* result_json) {
    tell(runner, task_finished{id, result_json, std::nullopt});
  }

  double metric(std::string_view series) { return testing::metric(numbers, series); }

  task_options options;
  metrics numbers;
  task_runner_actor runner;
  task_transcript events;
  std::vector<task_id> ids;
  run_task last_order;

private:
  std::vector<std::pair<std::string, task_id>> noted_;
};

} // namespace herald::testing
