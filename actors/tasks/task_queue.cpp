#include "actors/tasks/task_queue.hpp"

#include <algorithm>
#include <utility>

namespace herald {

bool task_queue::withdraw(const task_id& id) {
  const auto found = std::find_if(
    waiting_.begin(), waiting_.end(), [&](const run_task& order) { return order.id == id; });
  if (found == waiting_.end())
    return false;
  waiting_.erase(found);
  return true;
}

std::optional<task_queue::assignment> task_queue::assign() {
  const auto found =
    std::find_if(slots_.begin(), slots_.end(), [](const slot& s) { return s.free; });
  if (found == slots_.end() || waiting_.empty())
    return std::nullopt;
  found->task = waiting_.front().id;
  found->free = false;
  assignment result{static_cast<std::size_t>(found - slots_.begin()), std::move(waiting_.front())};
  waiting_.pop_front();
  return result;
}

std::optional<task_id> task_queue::release(std::size_t worker) {
  if (worker >= slots_.size())
    return std::nullopt;
  auto& released = slots_[worker];
  released.free = true;
  return std::exchange(released.task, std::nullopt);
}

std::optional<std::size_t> task_queue::worker_of(const task_id& id) const {
  const auto found =
    std::find_if(slots_.begin(), slots_.end(), [&](const slot& s) { return s.task == id; });
  if (found == slots_.end())
    return std::nullopt;
  return static_cast<std::size_t>(found - slots_.begin());
}

bool task_queue::any_free() const noexcept {
  return std::any_of(slots_.begin(), slots_.end(), [](const slot& s) { return s.free; });
}

bool task_queue::any_busy() const noexcept {
  return std::any_of(
    slots_.begin(), slots_.end(), [](const slot& s) { return s.task.has_value(); });
}

} // namespace herald
