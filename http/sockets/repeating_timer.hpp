#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace herald {

/// Makes a step again and again on the thread of an io_context. A step that throws is the last one
/// until `start`.
class repeating_timer {
public:
  using clock = std::chrono::steady_clock;

  /// `due` says when the next step is to be made; it is asked at the start and after each step.
  repeating_timer(
    boost::asio::io_context& io, std::function<clock::time_point()> due, std::function<void()> step)
    : timer_(io),
      due_(std::move(due)),
      step_(std::move(step)) {}

  /// Starts, or asks anew when the next step is due.
  void start() {
    timer_.expires_at(due_());
    timer_.async_wait([this](boost::system::error_code cancelled) {
      if (cancelled)
        return;
      step_();
      start();
    });
  }

private:
  boost::asio::steady_timer timer_;
  const std::function<clock::time_point()> due_;
  const std::function<void()> step_;
};

} // namespace herald
