#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace herald {

/// How many sends of a pass over the streams go to the kernel at once: few at first, then twice as
/// many each time, up to a bound.
///
/// The first sends wake whoever reads, often on this machine: a proxy in front of herald. While a
/// pass goes on, there may be no core for it, and what was sent first is read last. Between two
/// bursts is the time to let others run. Measured with 1,000 streams, a reader and two loops on two
/// cores: the 99th percentile from publish to receive falls by a tenth, with one loop by a quarter.
///
/// For one thread.
class send_bursts {
public:
  static constexpr std::size_t least = 8;
  static constexpr std::size_t most = 64;

  /// The next pass begins.
  void restart() noexcept { size_ = least; }

  /// Hands all to `send`, in their order, a burst at a time, with `pause` between two of them.
  template <class T, class Send, class Pause>
  void each(std::span<T> all, Send send, Pause pause) {
    while (!all.empty()) {
      const auto some = all.first(std::min(size_, all.size()));
      all = all.subspan(some.size());
      size_ = std::min(2 * size_, most);
      send(some);
      if (!all.empty())
        pause();
    }
  }

private:
  std::size_t size_ = least;
};

} // namespace herald
