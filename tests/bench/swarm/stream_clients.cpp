#include "tests/bench/swarm/stream_clients.hpp"

#include <algorithm>
#include <chrono>

#include <sched.h>

#include "http/sockets/descriptor_table.hpp"
#include "tests/bench/swarm/complaints.hpp"

namespace herald::bench {

namespace {

/// Besides the streams a table holds what the process had open when the thread began.
constexpr std::size_t other_descriptors = 256;
/// Of the 28,000 ports of a source address some may still be in TIME_WAIT.
constexpr std::size_t streams_per_source = 10'000;

std::size_t threads_needed(const stream_settings& settings) {
  const auto table = raise_descriptor_limit() - other_descriptors;
  return std::max(settings.threads, (settings.count + table - 1) / table);
}

/// From here on the thread's descriptors count against a limit of their own, and the kernel does
/// not have to guard the table against other threads.
void own_descriptors() {
#ifdef __SANITIZE_THREAD__
  // ThreadSanitizer keeps one table for the process: the same number in two of them is a race to
  // it.
  return;
#endif
  if (::unshare(CLONE_FILES) < 0)
    complain("no descriptor table for each thread");
}

} // namespace

stream_clients::stream_clients(const stream_settings& settings, progress& run)
  : settings_(settings) {
  settings_.threads = threads_needed(settings);
  counts_.untried = settings_.count;
  const auto sources = settings_.count / streams_per_source + 1;
  for (std::size_t i = 0; i < settings_.threads && settings_.count > 0; ++i)
    receivers_.push_back(std::make_unique<stream_receiver>(settings_, i, sources, run, counts_));
}

stream_clients::~stream_clients() {
  stream_clients::finish();
}

void stream_clients::open() {
  const auto began = now();
  for (auto& receiver : receivers_)
    threads_.emplace_back([&receiver] {
      own_descriptors();
      receiver->run();
    });
  while (counts_.untried > 0 && now() - began < from_seconds(settings_.open_timeout_s))
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
}

void stream_clients::finish() {
  counts_.now = stream_counts::stage::over;
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
}

void stream_clients::tell(run_result& result) const {
  auto& sum = result.clients;
  sum.opened = counts_.opened;
  sum.failed = counts_.failed;
  sum.pending = counts_.untried;
  sum.reopened = counts_.reopened;
  sum.ended_by_server = counts_.ended_by_server;
  sum.lagged = counts_.lagged;
  sum.open_at_end = counts_.open;
  sum.threads = settings_.threads;
  for (const auto& receiver : receivers_) {
    sum.opening.merge(receiver->opening());
    sum.bytes += receiver->bytes();
    sum.malformed += receiver->malformed();
    result.deliveries.merge(receiver->tally());
    result.slow.merge(receiver->slow());
  }
}

} // namespace herald::bench
