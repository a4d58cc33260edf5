#pragma once

#include <algorithm>
#include <cstddef>
#include <random>

#include <caf/scheduler/test_coordinator.hpp>

namespace herald::testing {

/// Runs actors on the deterministic scheduler in an order that a seed decides: any actor that has a
/// message may be the next. One mailbox keeps its order, as it does in life.
class interleaver {
public:
  interleaver(caf::scheduler::test_coordinator& scheduler, unsigned seed)
    : scheduler_(scheduler),
      random_(seed) {}

  /// A number from 0 to `n - 1`.
  std::size_t below(std::size_t n) { return random_() % n; }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }

  /// Lets a random actor handle one message; false if none is waiting.
  bool step() {
    auto& jobs = scheduler_.jobs;
    if (jobs.size() > 1) {
      const auto next = jobs.begin() + static_cast<std::ptrdiff_t>(below(jobs.size()));
      std::rotate(jobs.begin(), next, next + 1);
    }
    return scheduler_.try_run_once();
  }

  void steps(std::size_t most) {
    for (; most > 0 && step(); --most) {
    }
  }

  void drain() {
    while (step()) {
    }
  }

private:
  caf::scheduler::test_coordinator& scheduler_;
  std::minstd_rand random_;
};

} // namespace herald::testing
