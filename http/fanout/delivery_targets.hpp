#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "http/fanout/stream_table.hpp"

namespace herald {

/// The streams that a delivery to some is for, while it is under way. A stream that ends meanwhile
/// gets nothing more of it, and neither does another in its slot. For one thread.
class delivery_targets {
public:
  /// Forgets what there was; to be filled with slots in rising order, each of them once.
  [[nodiscard]] std::vector<stream_slot>& restart() noexcept {
    slots_.clear();
    next_ = 0;
    return slots_;
  }

  // Before the first `next`.

  void add(stream_slot slot) {
    const auto at = std::lower_bound(slots_.begin(), slots_.end(), slot);
    if (at == slots_.end() || *at != slot)
      slots_.insert(at, slot);
  }
  void leave_out(stream_slot slot) {
    const auto at = std::lower_bound(slots_.begin(), slots_.end(), slot);
    if (at != slots_.end() && *at == slot)
      slots_.erase(at);
  }

  /// The next one, until it is `done`; nothing behind the last.
  [[nodiscard]] std::optional<stream_slot> next() noexcept {
    while (next_ != slots_.size() && (slots_[next_] & gone) != 0)
      ++next_;
    return next_ == slots_.size() ? std::nullopt : std::optional{slots_[next_]};
  }
  void done() noexcept { ++next_; }

  void ended(stream_slot slot) noexcept {
    const auto rest = slots_.begin() + static_cast<std::ptrdiff_t>(std::min(next_, slots_.size()));
    const auto at = std::lower_bound(
      rest, slots_.end(), slot, [](stream_slot one, stream_slot to) { return (one & ~gone) < to; });
    if (at != slots_.end())
      *at |= *at == slot ? gone : 0;
  }

  void release_memory() {
    if (next_ == slots_.size())
      std::vector<stream_slot>{}.swap(slots_), next_ = 0;
  }

private:
  /// Slots are far below.
  static constexpr stream_slot gone = stream_slot{1} << 31U;

  std::vector<stream_slot> slots_;
  std::size_t next_ = 0;
};

} // namespace herald
