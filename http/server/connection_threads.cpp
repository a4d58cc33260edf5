#include "http/server/connection_threads.hpp"

#include <exception>
#include <utility>

#include "http/server/ask.hpp"

namespace herald {

connection_threads::connection_threads(const connection_thread_options& options, metrics& numbers)
  : options_(options),
    running_(numbers.gauge("herald_api_threads", "Threads that serve API connections.")),
    waited_(numbers.counter(
      "herald_api_connection_waits_total",
      "API requests that had to wait because as many as may be were being answered.")) {}

connection_threads::~connection_threads() {
  join();
}

bool connection_threads::enqueue(std::function<void()>& job) {
  std::unique_lock lock{mutex_};
  if (closing_)
    return false;
  reap(lock);
  const bool must_wait = jobs_.size() >= idle_ && !grow();
  if (must_wait) {
    if (threads_.empty() || jobs_.size() >= idle_ + options_.max_waiting)
      return false;
    waited_.Increment();
  }
  jobs_.push_back(std::move(job));
  waiting_ = jobs_.size() > idle_ ? jobs_.size() - idle_ : 0;
  wake_.notify_one();
  return true;
}

/// Adds a thread, which counts as idle from now on. False at the limit, the system's or ours.
bool connection_threads::grow() {
  if (threads_.size() >= options_.max_threads)
    return false;
  const auto self = threads_.emplace(threads_.end());
  try {
    *self = std::thread([this, self] { run(self); });
  } catch (const std::exception&) {
    // The system has no thread for us, or no memory for one.
    threads_.erase(self);
    return false;
  }
  ++idle_;
  running_.Increment();
  return true;
}

void connection_threads::run(thread_list::iterator self) {
  const asker_scope asker;
  std::unique_lock lock{mutex_};
  while (true) {
    const bool woken =
      wake_.wait_for(lock, options_.linger, [this] { return !jobs_.empty() || closing_; });
    if (!woken || jobs_.empty())
      break;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    --idle_;
    waiting_ = jobs_.size() > idle_ ? jobs_.size() - idle_ : 0;
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    ++idle_;
    waiting_ = jobs_.size() > idle_ ? jobs_.size() - idle_ : 0;
  }
  --idle_;
  finished_.splice(finished_.end(), threads_, self);
  running_.Decrement();
  ended_.notify_all();
}

void connection_threads::reap(std::unique_lock<std::mutex>& lock) {
  thread_list ended;
  ended.swap(finished_);
  lock.unlock();
  for (auto& thread : ended)
    thread.join();
  lock.lock();
}

std::size_t connection_threads::size() const {
  const std::lock_guard lock{mutex_};
  return threads_.size();
}

void connection_threads::join() {
  std::unique_lock lock{mutex_};
  closing_ = true;
  wake_.notify_all();
  ended_.wait(lock, [this] { return threads_.empty(); });
  reap(lock);
}

} // namespace herald
