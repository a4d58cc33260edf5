#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/scheduler/coordinator.hpp>

namespace herald {

/// How the threads of CAF's scheduler share the actors that have messages: one queue for all, as
/// with CAF's policy of this name, which however wakes a thread for each actor, and that while it
/// holds the lock that the thread needs first. Where messages are small, waking up is most of the
/// work. Here
/// - a thread is woken only if one sleeps and none is on its way already; it sees to the next one
///   if there is work for more,
/// - an actor that gets its message from a thread of the scheduler is left to that thread, which is
///   about to look for work, unless another one is left to it already.
///
/// So a message may wait for the end of the handler that has sent it, though a thread is idle. What
/// blocks, or works for long, is detached and has a thread of its own.
///
/// A policy in CAF's sense; its methods are called by CAF.
class work_sharing : public caf::policy::unprofiled {
public:
  /// To be loaded as a module: `actor_system_config::load<work_sharing::scheduler>()`.
  using scheduler = caf::scheduler::coordinator<work_sharing>;

  class coordinator_data {
  public:
    explicit coordinator_data(caf::scheduler::abstract_coordinator* /*whose*/) {}

    /// Safe from any thread.
    void put(caf::resumable* job) {
      bool wake = false;
      {
        const std::lock_guard lock{mutex_};
        jobs_.push_back(job);
        wake = is_worth_a_wake(mine() == this ? 2 : 1);
      }
      if (wake)
        work_.notify_one();
    }

    /// Waits for a job. For threads of the scheduler.
    [[nodiscard]] caf::resumable* take() {
      mine() = this;
      std::unique_lock lock{mutex_};
      while (jobs_.empty()) {
        ++sleeping_;
        work_.wait(lock);
        --sleeping_;
        waking_ = false;
      }
      auto* const job = jobs_.front();
      jobs_.pop_front();
      const bool wake = is_worth_a_wake(1);
      lock.unlock();
      if (wake)
        work_.notify_one();
      return job;
    }

    template <class Function>
    void for_each_left(Function function) {
      const std::lock_guard lock{mutex_};
      for (; !jobs_.empty(); jobs_.pop_front())
        function(jobs_.front());
    }

  private:
    /// The scheduler that the calling thread is of.
    static coordinator_data*& mine() {
      static thread_local coordinator_data* whose = nullptr;
      return whose;
    }

    /// With so many jobs; notes that a thread is on its way. To be called with the lock.
    bool is_worth_a_wake(std::size_t jobs) {
      if (jobs_.size() < jobs || sleeping_ == 0 || waking_)
        return false;
      waking_ = true;
      return true;
    }

    std::mutex mutex_;
    std::condition_variable work_;
    std::deque<caf::resumable*> jobs_;
    std::size_t sleeping_ = 0;
    /// A thread has been woken that has not looked at the jobs yet.
    bool waking_ = false;
  };

  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator* /*whose*/) {}
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    d(self).put(job);
  }
  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    d(self->parent()).put(job);
  }
  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    d(self->parent()).put(job);
  }
  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    d(self->parent()).put(job);
  }
  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    return d(self->parent()).take();
  }
  template <class Worker, class Function>
  void foreach_resumable(Worker* /*self*/, Function /*function*/) {}
  template <class Coordinator, class Function>
  void foreach_central_resumable(Coordinator* self, Function function) {
    d(self).for_each_left(function);
  }
};

} // namespace herald
