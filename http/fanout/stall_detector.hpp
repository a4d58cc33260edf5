#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "http/sockets/tcp_progress.hpp"

namespace herald {

/// Tells which streams stand still: something has been due to the client for `give_up_after`, and
/// all that time it has acknowledged nothing of it, because it is out of reach or takes nothing.
/// An idle stream does not stand still.
///
/// TCP_USER_TIMEOUT promises the same and does less: it measures from the first retransmission of
/// a time of trouble. On a bad line that never comes to rest the next time-out ends the connection,
/// however much was acknowledged in between. And the kernel does not tell the client.
///
/// Needs looks at all streams, from time to time; is late by at most two of these times. Knows no
/// socket and no clock.
class stall_detector {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Where nothing is due, keepalive asks the client for a sign of life after `give_up_after`. It
  /// has this long for an answer, while it is asked again.
  static constexpr std::chrono::seconds answer_time{20};

  explicit stall_detector(std::chrono::milliseconds give_up_after)
    : give_up_after_(give_up_after) {}

  /// Notes how far the stream in this slot is now; whether to give it up.
  [[nodiscard]] bool look(std::size_t slot, const tcp_progress& how, time_point now);
  /// The stream in this slot has ended; another may get the slot.
  void reset(std::size_t slot);

private:
  /// Kept small: there are many.
  struct seen {
    /// The low bits of it.
    std::uint32_t acknowledged = 0;
    /// Milliseconds of the clock, their low bits; never 0, which means that it moves.
    std::uint32_t still_since = 0;
  };

  std::chrono::milliseconds give_up_after_;
  std::deque<seen> seen_;
};

} // namespace herald
