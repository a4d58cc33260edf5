#include "http/fanout/stall_patrol.hpp"

#include <algorithm>

namespace herald {

namespace {

/// Rounds within the time in which a stream that stands still is given up.
constexpr int rounds = 8;
constexpr std::chrono::milliseconds shortest_round{250};
constexpr std::chrono::milliseconds longest_round{5000};

} // namespace

stall_patrol::stall_patrol(
  std::chrono::milliseconds give_up_after, stream_table& table, prometheus::Counter& given_up,
  progress_reader progress_of)
  : round_(std::clamp(give_up_after / rounds, shortest_round, longest_round)),
    table_(table),
    given_up_(given_up),
    progress_of_(progress_of),
    stalls_(give_up_after) {}

std::chrono::milliseconds stall_patrol::pause() const {
  const auto slices = (table_.slots() + slice - 1) / slice;
  return round_ / std::max<std::size_t>(slices, 1);
}

void stall_patrol::walk(time_point now) {
  if (next_ >= table_.slots())
    next_ = 0;
  const auto stop = std::min<std::size_t>(next_ + slice, table_.slots());
  for (; next_ < stop; ++next_) {
    const auto fd = table_.descriptor(next_);
    if (fd < 0)
      continue;
    const auto progress = progress_of_(fd);
    if (!progress || !stalls_.look(next_, *progress, now))
      continue;
    given_up_.Increment();
    table_.drop(next_, end_reason::client_closed);
  }
}

} // namespace herald
