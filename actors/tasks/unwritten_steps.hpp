#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "messages/tasks.hpp"

namespace herald {

/// The beginnings and ends of tasks that are not in the journal yet, by number, and how the tasks
/// are shown until they are. Pure.
class unwritten_steps {
public:
  /// The task has begun or ended, and is as it is given. Gives the number of the step.
  std::uint64_t add(const task_view& task) {
    const auto number = last_number_ + 1;
    const auto step = steps_.emplace(number, task).first;
    try {
      auto& one = tasks_.try_emplace(task.id, open{before(task), number}).first->second;
      one.last = number;
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
    if (task->second.last == number)
      tasks_.erase(task);
    else
      task->second.shown = std::move(step.mapped());
  }

  /// The task as it was last written; null where all of it is.
  [[nodiscard]] const task_view* shown(const task_id& id) const {
    const auto found = tasks_.find(id);
    return found == tasks_.end() ? nullptr : &found->second.shown;
  }
  /// The last step of a task, if it is not written.
  [[nodiscard]] std::optional<std::uint64_t> last_of(const task_id& id) const {
    const auto found = tasks_.find(id);
    return found == tasks_.end() ? std::nullopt : std::optional{found->second.last};
  }

  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }

private:
  struct open {
    task_view shown;
    std::uint64_t last = 0;
  };

  /// A task that has begun waited before; one that has ended ran, if it ever did.
  static task_view before(task_view task) {
    if (!is_final(task.status))
      task.start_time.reset();
    task.status = task.start_time ? task_status::running : task_status::pending;
    task.end_time.reset();
    task.result_json.clear();
    task.error.clear();
    return task;
  }

  std::map<std::uint64_t, task_view> steps_;
  std::unordered_map<task_id, open> tasks_;
  std::uint64_t last_number_ = 0;
};

} // namespace herald
