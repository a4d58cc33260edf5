#pragma once

#include <cstdint>
#include <vector>

#include <sys/types.h>

#include "tests/bench/swarm/clock.hpp"

namespace herald::bench {

/// CPU time in seconds, ever used.
struct cpu_reading {
  nanos at = 0;
  /// Of the watched processes, user and system together, to the nanosecond; and apart, as ticks.
  double server = 0;
  double server_user = 0;
  double server_system = 0;
  /// Of those beside them.
  double beside = 0;
  double client = 0;
  /// Of the whole machine.
  double machine = 0;
  double stolen = 0;
};

/// Memory in KiB.
struct memory_reading {
  std::uint64_t rss = 0;
  std::uint64_t pss = 0;
  /// Of the whole machine: what TCP holds in its buffers, and the kernel's objects.
  std::uint64_t tcp_buffers = 0;
  std::uint64_t slab = 0;
};

/// Looks at the server's processes from outside, through the kernel.
class server_watch {
public:
  /// Those that are `beside` take part, but are not what is measured.
  explicit server_watch(std::vector<pid_t> roots, std::vector<pid_t> beside = {});

  /// Takes in the descendants that there are now.
  void find_descendants();

  [[nodiscard]] std::size_t processes() const noexcept { return all_.size(); }
  [[nodiscard]] cpu_reading cpu() const;
  /// Takes time in proportion to the server's memory.
  [[nodiscard]] memory_reading memory() const;
  /// The same rss, in no time.
  [[nodiscard]] std::uint64_t rss() const;

private:
  std::vector<pid_t> roots_;
  std::vector<pid_t> all_;
  std::vector<pid_t> beside_;
};

} // namespace herald::bench
