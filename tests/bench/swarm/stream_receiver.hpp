#pragma once

#include <cstddef>
#include <random>
#include <string_view>
#include <vector>

#include "tests/bench/swarm/answer_reader.hpp"
#include "tests/bench/swarm/clock.hpp"
#include "tests/bench/swarm/delivery_counter.hpp"
#include "tests/bench/swarm/descriptor.hpp"
#include "tests/bench/swarm/latency_histogram.hpp"
#include "tests/bench/swarm/options.hpp"
#include "tests/bench/swarm/progress.hpp"
#include "tests/bench/swarm/run_result.hpp"
#include "tests/bench/swarm/sequence_check.hpp"
#include "tests/bench/swarm/sockets.hpp"
#include "tests/bench/swarm/sse_reader.hpp"
#include "tests/bench/swarm/stream_counts.hpp"

namespace herald::bench {

/// Opens and reads every n-th stream, on a thread with descriptors of its own.
class stream_receiver {
public:
  /// The `index`-th of `settings.threads`.
  stream_receiver(
    const stream_settings& settings, std::size_t index, std::size_t sources, progress& run,
    stream_counts& counts);

  /// Runs until the counts say that it is over, then judges what is missing.
  void run();

  // After `run` has returned:
  [[nodiscard]] const delivery_tally& tally() const noexcept { return counter_.tally(); }
  [[nodiscard]] const slow_tally& slow() const noexcept { return slow_; }
  /// From the begin of connecting to the head of the answer.
  [[nodiscard]] const latency_histogram& opening() const noexcept { return opening_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t malformed() const noexcept { return malformed_; }

private:
  enum class state : std::uint8_t { closed, connecting, reading };

  struct stream {
    descriptor socket;
    std::uint32_t number = 0;
    state now = state::closed;
    bool tried = false;
    bool slow = false;
    bool lagged = false;
    /// Since when it is open; 0 if it is not.
    nanos opened = 0;
    nanos started = 0;
    answer_reader answer;
    sse_reader events;
    sequence_check check;
  };

  // Opening
  void open_some(nanos at);
  void churn(nanos at);
  void start(stream& s);
  void send_request(stream& s);
  void has_opened(stream& s, nanos at);
  void fail(stream& s, std::string_view why);
  void tried(stream& s);

  // Reading
  void wait_and_read();
  void readable(stream& s, std::size_t limit);
  void line(stream& s, std::string_view text, nanos received);
  void read_slowly(nanos at);
  void drain_slow_readers();
  void ended(stream& s, std::string_view why);
  void close(stream& s);
  void judge_rest();

  const stream_settings& settings_;
  std::size_t sources_;
  progress& run_;
  stream_counts& counts_;
  double share_;

  epoll_set sockets_;
  std::vector<stream> streams_;
  std::vector<stream*> slow_readers_;
  std::vector<char> buffer_;
  std::minstd_rand random_;

  nanos began_ = 0;
  std::size_t next_ = 0;
  nanos churn_began_ = 0;
  std::uint64_t churned_ = 0;
  nanos slow_read_ = 0;

  delivery_counter counter_;
  slow_tally slow_;
  latency_histogram opening_;
  std::uint64_t bytes_ = 0;
  std::uint64_t malformed_ = 0;
};

} // namespace herald::bench
