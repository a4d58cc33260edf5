#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "messages/tasks.hpp"

namespace herald {

/// Which task waits for a worker, and which worker has which task. Tasks get workers in the order
/// in which they came. A worker is named by its number, from 0.
///
/// Every operation gives the strong guarantee.
class task_queue {
public:
  /// No worker is free before it has said so (`release`).
  explicit task_queue(std::size_t workers) : slots_(workers) {}

  struct assignment {
    std::size_t worker = 0;
    run_task order;
  };

  void push(run_task order) { waiting_.push_back(std::move(order)); }

  /// Takes a task that waits out of the queue; false if it does not wait.
  bool withdraw(const task_id& id);

  /// Gives the task that has waited longest to a free worker; nothing if there is no such pair.
  [[nodiscard]] std::optional<assignment> assign();

  /// A worker is free. Gives the task that it had; unknown numbers are ignored.
  std::optional<task_id> release(std::size_t worker);

  /// The worker that has the task.
  [[nodiscard]] std::optional<std::size_t> worker_of(const task_id& id) const;

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  /// The task that has waited longest, or null.
  [[nodiscard]] const run_task* front() const noexcept {
    return waiting_.empty() ? nullptr : &waiting_.front();
  }
  /// Whether some worker has nothing to do.
  [[nodiscard]] bool any_free() const noexcept;
  /// Whether a worker still has a task, or what is left of one.
  [[nodiscard]] bool any_busy() const noexcept;

private:
  struct slot {
    bool free = false;
    std::optional<task_id> task;
  };

  std::vector<slot> slots_;
  std::deque<run_task> waiting_;
};

} // namespace herald
