#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "messages/tasks.hpp"

namespace herald {

/// The steps of tasks (beginning, progress, end) that are not in the journal yet, by number, and
/// how the tasks are shown until they are: what comes with a step is held back, and its `seq`,
/// since a page that is told of a `seq` waits for no event up to it. Progress is shown at once.
/// Pure.
class unwritten_steps {
public:
  /// The task has made a step, and is as it is given. Gives the number of the step.
  std::uint64_t add(const task_view& task, task_event_type step_type) {
    const auto number = last_number_ + 1;
    const auto step = steps_.emplace(number, task).first;
    try {
      const auto [one, fresh] = tasks_.try_emplace(task.id, open{before(task, step_type), {}});
      try {
        one->second.numbers.push_back(number);
      } catch (...) {
        if (fresh)
          tasks_.erase(one);
        throw;
      }
    } catch (...) {
      steps_.erase(step);
      throw;
    }
    return last_number_ = number;
  }

  /// The task as it is after the step; null where there is none. Valid until it is written.
  [[nodiscard]] const task_view* find(std::uint64_t number) const {
    const auto found = steps_.find(number);
    return found == steps_.end() ? nullptr : &found->second;
  }

  /// A step that is there, the first one of its task, is written.
  void written(std::uint64_t number) {
    auto step = steps_.extract(number);
    const auto task = tasks_.find(step.mapped().id);
    auto& [shown, numbers] = task->second;
    numbers.pop_front();
    if (numbers.empty()) {
      tasks_.erase(task);
      return;
    }
    auto former = std::exchange(shown, std::move(step.mapped()));
    if (former.status == task_status::running) {
      shown.progress = former.progress;
      shown.progress_text = std::move(former.progress_text);
    }
  }

  /// The task has made progress. Shown once it is shown to run.
  void progressed(const task_view& task) {
    const auto found = tasks_.find(task.id);
    if (found == tasks_.end() || found->second.shown.status != task_status::running)
      return;
    found->second.shown.progress = task.progress;
    found->second.shown.progress_text = task.progress_text;
  }

  /// The task as it is shown; null where all of it is written.
  [[nodiscard]] const task_view* shown(const task_id& id) const {
    const auto found = tasks_.find(id);
    return found == tasks_.end() ? nullptr : &found->second.shown;
  }
  /// The first and the last step of a task that are not written.
  [[nodiscard]] std::optional<std::uint64_t> first_of(const task_id& id) const {
    const auto found = tasks_.find(id);
    return found == tasks_.end() ? std::nullopt : std::optional{found->second.numbers.front()};
  }
  [[nodiscard]] std::optional<std::uint64_t> last_of(const task_id& id) const {
    const auto found = tasks_.find(id);
    return found == tasks_.end() ? std::nullopt : std::optional{found->second.numbers.back()};
  }

  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }

private:
  struct open {
    task_view shown;
    /// Of its steps, in their order.
    std::deque<std::uint64_t> numbers;
  };

  /// A task that has begun waited before; one that has made progress, or has ended, ran, if it ever
  /// did.
  static task_view before(task_view task, task_event_type step_type) {
    if (step_type == task_event_type::task_started)
      task.start_time.reset();
    task.status = task.start_time ? task_status::running : task_status::pending;
    task.end_time.reset();
    task.result_json.clear();
    task.error.clear();
    if (task.told)
      --task.seq;
    return task;
  }

  std::map<std::uint64_t, task_view> steps_;
  std::unordered_map<task_id, open> tasks_;
  std::uint64_t last_number_ = 0;
};

} // namespace herald
