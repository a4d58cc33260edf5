#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>

#include "http/keys/api_key.hpp"

namespace herald {

/// What a key may still publish: a second's worth at once, and then as much as comes back with
/// time. What is published may go into debt, which is paid off before the next: the size of a
/// publish is known only when it is there. Safe from any thread.
class publish_rate {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit publish_rate(const publish_limits& limits) : limits_(limits) {}

  [[nodiscard]] const publish_limits& limits() const noexcept { return limits_; }

  /// How long to wait before the next publish; zero: not at all.
  [[nodiscard]] std::chrono::milliseconds wait(time_point now);

  /// Something is published.
  void take(time_point now, std::size_t events, std::size_t bytes);

private:
  void refill(time_point now);

  const publish_limits limits_;
  std::mutex mutex_;
  time_point last_ = time_point::min();
  double events_ = 0;
  double bytes_ = 0;
};

using publish_rate_ptr = std::shared_ptr<publish_rate>;

} // namespace herald
