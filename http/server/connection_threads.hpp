#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "actors/telemetry/metrics.hpp"

namespace herald {

struct connection_thread_options {
  /// Threads at the same time.
  std::size_t max_threads = 0;
  /// Jobs that wait for a thread; more are refused.
  std::size_t max_waiting = 0;
  /// How long a thread without a job stays.
  std::chrono::milliseconds linger{};
};

/// Answers API requests: a handler waits for actors, so each request has a thread. The number of
/// threads follows what there is to do, up and down. Pools with the same metrics are counted
/// together. Safe from any thread.
class connection_threads {
public:
  connection_threads(const connection_thread_options& options, metrics& numbers);
  /// Waits for all jobs.
  ~connection_threads();

  connection_threads(const connection_threads&) = delete;
  connection_threads& operator=(const connection_threads&) = delete;

  /// Runs the job on a thread, once there is one. False: too many wait already; the job is not
  /// taken.
  [[nodiscard]] bool enqueue(std::function<void()>& job);

  /// Whether a job waits for a thread: others should end when they can.
  [[nodiscard]] bool starving() const noexcept { return waiting_.load() > 0; }

  [[nodiscard]] std::size_t size() const;

  /// Waits until every job taken has run and every thread has ended. Nothing is taken afterwards.
  void join();

private:
  using thread_list = std::list<std::thread>;

  void run(thread_list::iterator self);
  bool grow();
  void reap(std::unique_lock<std::mutex>& lock);

  const connection_thread_options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<std::function<void()>> jobs_;
  thread_list threads_;
  /// Have ended, are to be joined.
  thread_list finished_;
  std::size_t idle_ = 0;
  bool closing_ = false;
  std::atomic<std::size_t> waiting_{0};
  prometheus::Gauge& running_;
  prometheus::Counter& waited_;
};

} // namespace herald
