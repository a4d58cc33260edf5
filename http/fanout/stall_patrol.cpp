#include "http/fanout/stall_patrol.hpp"

#include <algorithm>

namespace herald {

namespace {

/// Rounds within the time in which a stream that stands still is given up.
constexpr std::size_t rounds = 8;
constexpr std::chrono::milliseconds shortest_round{250};
constexpr std::chrono::milliseconds longest_round{5000};

} // namespace

stall_patrol::stall_patrol(
  std::chrono::milliseconds give_up_after, std::chrono::milliseconds heartbeat, stream_table& table,
  prometheus::Counter& given_up, progress_readers ask)
  : round_(std::clamp(give_up_after / int{rounds}, shortest_round, longest_round)),
    asks_all_(heartbeat.count() == 0 || heartbeat > give_up_after),
    table_(table),
    given_up_(given_up),
    ask_(ask),
    stalls_(give_up_after) {}

std::chrono::milliseconds stall_patrol::pause() const {
  const auto slices = (table_.slots() + slice - 1) / slice;
  return round_ / std::max<std::size_t>(slices, 1);
}

void stall_patrol::walk(time_point now) {
  if (next_ >= table_.slots()) {
    next_ = 0;
    ++walks_;
  }
  const bool all = asks_all_ && (next_ / slice + walks_) % rounds == 0;
  const auto stop = std::min<std::size_t>(next_ + slice, table_.slots());
  for (; next_ < stop; ++next_) {
    const auto fd = table_.descriptor(next_);
    if (fd < 0 || (!all && moves(next_, fd)))
      continue;
    const auto progress = ask_.progress(fd);
    if (!progress || !stalls_.look(next_, *progress, now))
      continue;
    given_up_.Increment();
    table_.drop(next_, end_reason::client_closed);
  }
}

/// Whether the client has acknowledged all that the stream was sent.
bool stall_patrol::moves(stream_slot slot, int fd) {
  if (!table_.unacknowledged(slot))
    return true;
  if (ask_.outstanding(fd))
    return false;
  table_.acknowledged(slot);
  stalls_.reset(slot);
  return true;
}

} // namespace herald
