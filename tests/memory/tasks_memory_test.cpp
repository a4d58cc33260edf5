#include <chrono>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actors/tasks/task_queue.hpp"
#include "actors/tasks/task_table.hpp"
#include "tests/memory/each_failure.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::each_failure;
using testing::state_lines;

constexpr std::size_t workers = 3;

std::string named(const char* what, std::size_t n) {
  return "a-" + std::string{what} + "-whose-name-takes-memory-" + std::to_string(n);
}
task_id task(std::size_t n) {
  return task_id{named("task", n)};
}
run_task order(std::size_t n) {
  return {task(n), named("type", n), named("text", n)};
}

/// `check` is not what a queue has: who waits says enough.
struct checked_queue : task_queue {
  using task_queue::task_queue;
  [[nodiscard]] static std::optional<std::string> check() { return std::nullopt; }
};

/// The first worker has a task, the others are free.
auto queue_of(std::size_t count) {
  return [count] {
    auto made = std::make_unique<checked_queue>(workers);
    for (std::size_t n = 0; n <= count; ++n)
      made->push(order(n));
    for (std::size_t worker = 0; worker < workers; ++worker) {
      made->release(worker);
      if (worker == 0)
        (void)made->assign();
    }
    return made;
  };
}

state_lines state_of_orders(const checked_queue& all) {
  state_lines lines{std::to_string(all.waiting())};
  auto left = all;
  while (left.any_free() && left.front() != nullptr) {
    const auto next = left.assign();
    lines.push_back(next->order.id.str() + next->order.type + next->order.params_json);
    left.release(next->worker);
  }
  for (std::size_t n = 0; n < 3; ++n)
    if (const auto worker = all.worker_of(task(n)))
      lines.push_back(task(n).str() + " at " + std::to_string(*worker));
  return lines;
}

TEST(TaskQueueMemory, IsAsItWasWhenAnOrderFails) {
  for (std::size_t count = 0; count < 40; ++count)
    each_failure(
      queue_of(count),
      [what = order(99)](checked_queue& all) {
        all.push(what);
        return true;
      },
      state_of_orders);
}

TEST(TaskQueueMemory, IsAsItWasWhenAWorkerCannotBeGivenATask) {
  each_failure(
    queue_of(3), [](checked_queue& all) { return all.assign(); }, state_of_orders,
    [](const std::optional<task_queue::assignment>& given) {
      return given->order.id.str() + given->order.params_json + std::to_string(given->worker);
    });
}

task_moment after(std::chrono::seconds time) {
  return {std::chrono::steady_clock::time_point{1h + time}, wall_time{12h + time}};
}

/// By threes: one has ended, one runs, one is pending. Two that have ended are kept.
auto tasks_of(std::size_t count) {
  return [count] {
    auto made = std::make_unique<task_table>(task_table_limits{1h, 2});
    for (std::size_t n = 0; n < count; ++n) {
      made->add(task(n), named("type", n), n % 2 == 0);
      if (n % 3 != 2)
        (void)made->start(task(n), after(1s));
      if (n % 3 == 0)
        (void)made->complete(task(n), named("result", n), after(2s));
    }
    return made;
  };
}

state_lines state_of_tasks(const task_table& all) {
  std::ostringstream numbers;
  numbers << all.size() << ' ' << all.pending() << ' ' << all.running() << ' '
          << all.running_external() << ' ' << all.ended_bytes() << ' ' << all.evicted() << ' '
          << all.next_expiry().has_value() << ' ' << all.list(0, 1).next.value_or(0);
  state_lines lines{numbers.str()};
  for (const auto& one : all.list(0, 1000).tasks) {
    std::ostringstream line;
    line << one.id.str() << ' ' << one.type << ' ' << to_string(one.status) << ' ' << one.progress
         << ' ' << one.progress_text << one.result_json << one.error << ' ' << one.seq << ' '
         << all.is_external(one.id) << ' ' << all.ran(one.id).value_or(0s).count();
    lines.push_back(line.str());
  }
  auto copy = all;
  for (const auto& id : copy.take_forgotten())
    lines.push_back("forgotten " + id.str());
  return lines;
}

TEST(TaskTableMemory, IsAsItWasWhenAnotherTaskFails) {
  for (std::size_t count = 0; count < 60; ++count)
    each_failure(
      tasks_of(count),
      [id = task(count), type = named("type", count)](task_table& all) {
        return all.add(id, type, true);
      },
      state_of_tasks);
}

TEST(TaskTableMemory, IsAsItWasWhenTheEndOfATaskFails) {
  for (const std::size_t count : {2U, 12U}) {
    const auto text = named("text", 0);
    const auto running = task(1);
    each_failure(
      tasks_of(count), [&](task_table& all) { return all.complete(running, text, after(3s)); },
      state_of_tasks);
    each_failure(
      tasks_of(count), [&](task_table& all) { return all.fail(running, text, after(3s)); },
      state_of_tasks);
    each_failure(
      tasks_of(count), [&](task_table& all) { return all.cancel(running, after(3s)); },
      state_of_tasks);
  }
}

TEST(TaskTableMemory, IsAsItWasWhenAReportFails) {
  const std::optional<std::string> text{named("text", 0)};
  each_failure(
    tasks_of(2), [&, id = task(1)](task_table& all) { return all.progress(id, 0.5, text); },
    state_of_tasks);
}

TEST(TaskTableMemory, KeepsWhatWasForgottenWhenItCannotBeTaken) {
  each_failure(
    tasks_of(12), [](task_table& all) { return all.take_forgotten(); }, state_of_tasks,
    [](const std::vector<task_id>& ids) {
      state_lines lines;
      for (const auto& id : ids)
        lines.push_back(id.str());
      return lines;
    });
}

/// A table, and the tasks that it is to have; the same again if it could not.
struct waking : task_table {
  waking() : task_table({1h, 2}) {
    for (std::size_t n = 0; n < 15; ++n) {
      former one;
      one.view.id = task(n == 14 ? 0 : n);
      one.view.type = named("type", n);
      one.view.status = static_cast<task_status>(n % 5);
      one.external = n % 2 == 0;
      if (is_final(one.view.status)) {
        one.view.end_time = wall_time{12h};
        one.ended_at = after(std::chrono::seconds{20 - n}).at;
      }
      tasks.push_back(std::move(one));
    }
  }
  std::vector<former> tasks;
};

TEST(TaskTableMemory, HasAllOfAFormerLifeOrNothing) {
  each_failure(
    [] { return std::make_unique<waking>(); },
    [](waking& all) {
      all.restore(std::move(all.tasks));
      return true;
    },
    state_of_tasks);
}

} // namespace
} // namespace herald
