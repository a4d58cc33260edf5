#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "tests/bench/swarm/delivery_counter.hpp"
#include "tests/bench/swarm/stream_counts.hpp"
#include "tests/bench/swarm/stream_receiver.hpp"

namespace herald::bench {

/// All the streams of a run.
class stream_clients {
public:
  stream_clients(const stream_settings& settings, progress& run);
  ~stream_clients();
  stream_clients(const stream_clients&) = delete;
  stream_clients& operator=(const stream_clients&) = delete;

  /// Opens them; gives how long that took. What is not open by the time-out stays so.
  nanos open();
  /// Ends the churn and lets slow readers take the rest.
  void drain() { counts_.now = stream_counts::stage::draining; }
  /// Judges what is missing, and closes.
  void finish();

  [[nodiscard]] const stream_counts& counts() const noexcept { return counts_; }
  [[nodiscard]] std::size_t threads() const noexcept { return settings_.threads; }

  // After `finish`:
  [[nodiscard]] delivery_tally tally() const;
  [[nodiscard]] slow_tally slow() const;
  [[nodiscard]] latency_histogram opening() const;
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::uint64_t malformed() const;

private:
  stream_settings settings_;
  stream_counts counts_;
  std::vector<std::unique_ptr<stream_receiver>> receivers_;
  std::vector<std::thread> threads_;
};

} // namespace herald::bench
