#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "http/fanout/stream_table.hpp"

namespace herald {

/// The streams of a loop whose pages watch their heartbeats (`?heartbeat=event`): a bit for each
/// slot up to the last of them. For one thread.
class heartbeat_watchers {
public:
  void add(stream_slot slot) {
    if (slot >= watching_.size())
      watching_.resize(slot + 1);
    watching_[slot] = true;
  }
  /// The stream in this slot has ended.
  void remove(stream_slot slot) {
    if (slot < watching_.size())
      watching_[slot] = false;
  }

  /// Calls `beat(slot)` for each of them in the slots from `begin` to `end`; it may remove them.
  /// True if there was one.
  template <class Beat>
  bool each_in(stream_slot begin, stream_slot end, Beat beat) const {
    bool any = false;
    const auto stop = std::min<std::size_t>(end, watching_.size());
    for (auto slot = begin; slot < stop; ++slot) {
      if (!watching_[slot])
        continue;
      any = true;
      beat(slot);
    }
    return any;
  }

private:
  std::vector<bool> watching_;
};

} // namespace herald
