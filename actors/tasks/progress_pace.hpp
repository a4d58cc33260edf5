#pragma once

#include <chrono>
#include <map>
#include <optional>

#include "actors/tasks/deadline_queue.hpp"
#include "messages/ids.hpp"

namespace herald {

/// Decides when the progress of a task is told, so that it is told at most once per interval, and
/// the latest always. Pure: somebody else has the clock and the progress itself.
class progress_pace {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit progress_pace(std::chrono::milliseconds interval) : interval_(interval) {}

  /// The progress of a task has changed. True: tell it now; else it is due later.
  [[nodiscard]] bool changed(const task_id& id, time_point now) {
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

  /// Takes a task whose progress is to be told now.
  [[nodiscard]] std::optional<task_id> take_due(time_point now) {
    auto id = due_.take_due(now);
    if (id)
      told_[*id] = now;
    return id;
  }
  /// When `take_due` has something next.
  [[nodiscard]] std::optional<time_point> next() const { return due_.next(); }

  /// The task has ended. True if it has made progress that is still to be told, before its end.
  [[nodiscard]] bool task_ended(const task_id& id) {
    told_.erase(id);
    return due_.drop(id);
  }

private:
  std::chrono::milliseconds interval_;
  std::map<task_id, time_point> told_;
  deadline_queue<task_id> due_;
};

} // namespace herald
