#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "tests/bench/swarm/crowd.hpp"
#include "tests/bench/swarm/progress.hpp"
#include "tests/bench/swarm/stream_counts.hpp"
#include "tests/bench/swarm/stream_receiver.hpp"

namespace herald::bench {

/// All the streams of a run, opened at the server.
class stream_clients : public crowd {
public:
  stream_clients(const stream_settings& settings, progress& run);
  ~stream_clients() override;

  /// What is not open by the time-out stays so.
  void open() override;
  /// Ends the churn and lets slow readers take the rest.
  void drain() override { counts_.now = stream_counts::stage::draining; }
  void finish() override;
  void tell(run_result& result) const override;

private:
  stream_settings settings_;
  stream_counts counts_;
  std::vector<std::unique_ptr<stream_receiver>> receivers_;
  std::vector<std::thread> threads_;
};

} // namespace herald::bench
