#pragma once

#include <cstdint>
#include <vector>

#include "tests/bench/swarm/delivery_counter.hpp"
#include "tests/bench/swarm/latency_histogram.hpp"
#include "tests/bench/swarm/publisher.hpp"
#include "tests/bench/swarm/server_watch.hpp"

namespace herald::bench {

/// What became of the readers that are slow on purpose.
struct slow_tally {
  std::uint64_t ended_by_server = 0;
  /// Of these, told why by `event: lagged`.
  std::uint64_t told = 0;
  /// Events missing before the end of what they got.
  std::uint64_t lost = 0;

  void merge(const slow_tally& more) {
    ended_by_server += more.ended_by_server;
    told += more.told;
    lost += more.lost;
  }
};

/// All that was seen in a run.
struct run_result {
  struct streams {
    std::uint64_t opened = 0;
    std::uint64_t failed = 0;
    /// Neither open nor failed when opening timed out.
    std::uint64_t pending = 0;
    std::uint64_t reopened = 0;
    std::uint64_t ended_by_server = 0;
    std::uint64_t lagged = 0;
    std::uint64_t open_at_end = 0;
    std::size_t threads = 0;
    nanos open_time = 0;
    latency_histogram opening;
    std::uint64_t bytes = 0;
    std::uint64_t malformed = 0;
  };

  streams clients;
  delivery_tally deliveries;
  slow_tally slow;
  publish_tally publishing;

  std::size_t processes = 0;
  cpu_reading cpu_before, cpu_opened, cpu_idle, cpu_measured, cpu_end;
  memory_reading memory_before, memory_idle, memory_end;
  /// While publishing, in even steps of time; KiB.
  std::vector<std::uint64_t> rss;
};

} // namespace herald::bench
