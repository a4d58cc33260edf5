#pragma once

#include <functional>
#include <future>
#include <thread>
#include <utility>

namespace herald {

/// A thread that is made in time, for work that must be done when none can be had.
class thread_in_reserve {
public:
  thread_in_reserve()
    : thread_([order = order_.get_future()]() mutable {
        if (const auto work = order.get())
          work();
      }) {}
  thread_in_reserve(const thread_in_reserve&) = delete;
  thread_in_reserve& operator=(const thread_in_reserve&) = delete;
  /// Waits for the end of the work, if there is any.
  ~thread_in_reserve() {
    if (!thread_.joinable())
      return;
    if (!ordered_)
      order_.set_value({});
    thread_.join();
  }

  /// Does the work on the thread. Once.
  void run(std::function<void()> work) {
    ordered_ = true;
    order_.set_value(std::move(work));
  }
  /// Waits for the end of the work.
  void join() { thread_.join(); }

private:
  std::promise<std::function<void()>> order_;
  bool ordered_ = false;
  std::thread thread_;
};

} // namespace herald
