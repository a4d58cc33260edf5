#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/swarm/clock.hpp"
#include "tests/bench/swarm/descriptor.hpp"
#include "tests/bench/swarm/latency_histogram.hpp"
#include "tests/bench/swarm/options.hpp"
#include "tests/bench/swarm/pace.hpp"
#include "tests/bench/swarm/progress.hpp"
#include "tests/bench/swarm/request_template.hpp"
#include "tests/bench/swarm/sockets.hpp"

namespace herald::bench {

/// What a publisher has done.
struct publish_tally {
  std::uint64_t events = 0;
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  /// Answered with no 2xx, or not at all; the status of the last of them.
  std::uint64_t failed = 0;
  int failed_status = 0;
  std::uint64_t reconnects = 0;
  /// Events that were due while all connections were busy.
  std::uint64_t late = 0;
  /// Times that an event was given up which not all streams had.
  std::uint64_t impatient = 0;
  /// The server did not answer for so long that the run was ended.
  bool aborted = false;

  // Since measuring began:
  nanos measured_since = 0;
  nanos ended = 0;
  std::uint64_t measured_events = 0;
  std::uint64_t measured_answers = 0;
  latency_histogram round_trip;
};

/// Publishes events over kept-alive connections.
class publisher {
public:
  publisher(
    const publish_settings& settings, progress& run, std::function<void()> measuring_begins);
  ~publisher();

  /// Runs to the end of what the settings ask for.
  void publish_all();

  [[nodiscard]] const publish_tally& tally() const noexcept { return tally_; }

private:
  struct connection;

  void publish_what_is_due();
  bool may_publish(nanos at);
  void publish(connection& c, nanos at);
  nanos sent_at(nanos at) const;
  void send_step(connection& c);
  void send_rest(connection& c);

  void wait();
  void readable(connection& c);
  void answered(connection& c, int status);
  void reconnect(connection& c);
  [[nodiscard]] connection* find_idle();

  const publish_settings& settings_;
  progress& run_;
  std::function<void()> measuring_begins_;
  request_template requests_;
  pace pace_;
  nanos give_up_at_;
  epoll_set sockets_;
  std::vector<std::unique_ptr<connection>> connections_;
  std::size_t busy_ = 0;
  publish_tally tally_;
};

} // namespace herald::bench
