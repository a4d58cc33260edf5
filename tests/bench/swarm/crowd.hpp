#pragma once

#include "tests/bench/swarm/run_result.hpp"

namespace herald::bench {

/// Those whom the events of a run are for.
class crowd {
public:
  crowd() = default;
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;
  virtual ~crowd() = default;

  /// Returns once all are there that will be there.
  virtual void open() = 0;
  /// Nothing more is published.
  virtual void drain() = 0;
  /// Judges what is missing, and closes.
  virtual void finish() = 0;
  /// Adds what was seen; the whole of it after `finish`.
  virtual void tell(run_result& result) const = 0;
};

} // namespace herald::bench
