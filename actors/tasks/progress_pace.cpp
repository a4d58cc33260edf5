#include "actors/tasks/progress_pace.hpp"

namespace herald {

bool progress_pace::changed(const task_id& id, time_point now) {
  const auto [last, first] = told_.try_emplace(id, now);
  if (first)
    return true;
  if (now - last->second < interval_) {
    due_.set(id, last->second + interval_);
    return false;
  }
  due_.drop(id);
  last->second = now;
  return true;
}

std::optional<task_id> progress_pace::take_due(time_point now) {
  auto id = due_.take_due(now);
  if (id)
    told_[*id] = now;
  return id;
}

bool progress_pace::forget(const task_id& id) {
  told_.erase(id);
  return due_.drop(id);
}

} // namespace herald
