#pragma once

#include <stdexcept>

#include "actors/workers/task_worker.hpp"

namespace herald::testing {

/// A worker whose handler throws when it is told to abort "poison".
class fragile_worker : public task_worker {
public:
  using task_worker::task_worker;
  using shell_type = shell<interface, fragile_worker>;

  static shell_type::behavior_type behavior(shell_type& s) {
    return {
      s.on(&fragile_worker::run_task_of),
      s.on(&fragile_worker::abort_or_throw),
      s.on(&fragile_worker::timer_of),
      s.control(),
    };
  }

  void run_task_of(const run_task& order) { run(order); }
  void abort_or_throw(const abort_task& order) {
    if (order.id.str() == "poison")
      throw std::runtime_error("poisoned");
    abort(order);
  }
  void timer_of(const task_timer& due) { timer(due); }
};

} // namespace herald::testing
