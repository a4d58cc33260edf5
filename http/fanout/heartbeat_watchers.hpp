#pragma once

#include <algorithm>
#include <cstddef>
#include <unordered_set>
#include <vector>

#include "http/fanout/stream_table.hpp"

namespace herald {

/// The streams of a loop whose pages watch their heartbeats (`?heartbeat=event`), and the rounds in
/// which they get them, cut into slices. What other streams get is in the log, and they cost
/// nothing here. For one thread.
class heartbeat_watchers {
public:
  void add(stream_slot slot) { watching_.insert(slot); }
  /// The stream in this slot has ended.
  void remove(stream_slot slot) { watching_.erase(slot); }

  /// All that watch now are due, unless some still are.
  void begin_round() {
    if (due_.empty())
      due_.assign(watching_.begin(), watching_.end());
  }

  /// Calls `beat(slot)` for up to `count` streams that are due; it may remove them. True if more
  /// are due.
  template <class Beat>
  bool run_slice(std::size_t count, Beat beat) {
    for (auto left = std::min(count, due_.size()); left > 0; --left) {
      const auto slot = due_.back();
      due_.pop_back();
      if (watching_.contains(slot))
        beat(slot);
    }
    return !due_.empty();
  }

private:
  std::unordered_set<stream_slot> watching_;
  std::vector<stream_slot> due_;
};

} // namespace herald
