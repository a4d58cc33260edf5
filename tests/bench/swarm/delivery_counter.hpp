#pragma once

#include <cstdint>
#include <set>

#include "tests/bench/swarm/latency_histogram.hpp"
#include "tests/bench/swarm/progress.hpp"
#include "tests/bench/swarm/sequence_check.hpp"
#include "tests/bench/swarm/sse_reader.hpp"

namespace herald::bench {

/// What was received, and what is wrong with it.
struct delivery_tally {
  /// Numbered events, each once per stream.
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t out_of_order = 0;
  /// From before the stream opened, as the client sees it: no fault, the server may have had the
  /// stream by then.
  std::uint64_t not_owed = 0;
  /// The orders in which streams got the events that got all of them. More than one: the server has
  /// told one stream another story than the next.
  std::set<std::uint64_t> orders;
  /// Events that are not the publisher's.
  std::uint64_t other = 0;
  /// Of `delivered`: those received since measuring began.
  std::uint64_t measured = 0;
  nanos last_measured = 0;
  /// Of events published since then.
  latency_histogram latency;

  void merge(const delivery_tally& more);
};

/// Judges what arrives at the streams of one thread. Where an event is not for all of them
/// (`progress::reach`), what a stream has not got may be for others: nothing counts as lost here.
class delivery_counter {
public:
  explicit delivery_counter(progress& run) : run_(run) {}

  /// An event arrived at a stream that opened at `opened`.
  void count(sequence_check& check, nanos opened, const seen_event& event, nanos received);
  /// Lets the publisher know of what was counted since the last call.
  void flush();

  /// A stream was closed by this side: what is on its way to it is nobody's fault.
  void close_own(const sequence_check& check);
  /// A stream ended without being asked to, or the run is over: it is owed all that was published.
  void close_owed(sequence_check& check, nanos opened);

  [[nodiscard]] const delivery_tally& tally() const noexcept { return tally_; }

private:
  progress& run_;
  delivery_tally tally_;
  std::uint64_t unflushed_ = 0;
};

} // namespace herald::bench
