#pragma once

#include <cerrno>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

#include <semaphore.h>

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
    void add_job(caf::resumable* job) {
      sleeper* woken = nullptr;
      {
        const std::lock_guard lock{mutex_};
        jobs_.push_back(job);
        woken = to_be_woken_for(this_thread().whose == this ? 2 : 1);
      }
      if (woken != nullptr)
        woken->wake();
    }

    /// For threads of the scheduler.
    [[nodiscard]] caf::resumable* wait_for_job() {
      auto& me = this_thread();
      me.whose = this;
      std::unique_lock lock{mutex_};
      while (jobs_.empty()) {
        sleeping_.push_back(&me);
        lock.unlock();
        me.sleep();
        lock.lock();
        waking_ = false;
      }
      auto* const job = jobs_.front();
      jobs_.pop_front();
      auto* const woken = to_be_woken_for(1);
      lock.unlock();
      if (woken != nullptr)
        woken->wake();
      return job;
    }

    template <class Function>
    void for_each_left(Function function) {
      const std::lock_guard lock{mutex_};
      for (; !jobs_.empty(); jobs_.pop_front())
        function(jobs_.front());
    }

  private:
    /// A thread, and what it sleeps on. Not a condition variable: those of glibc 2.27 to 2.40 may
    /// lose a wake-up (https://sourceware.org/bugzilla/show_bug.cgi?id=25847), and no other one
    /// would follow here.
    class sleeper {
    public:
      sleeper() { sem_init(&woken_, 0, 0); }
      sleeper(const sleeper&) = delete;
      sleeper& operator=(const sleeper&) = delete;
      ~sleeper() { sem_destroy(&woken_); }

      /// Until it is woken, if it has not been already.
      void sleep() {
        while (sem_wait(&woken_) != 0 && errno == EINTR) {
        }
      }
      void wake() { sem_post(&woken_); }

      /// The scheduler that it is a thread of.
      const coordinator_data* whose = nullptr;

    private:
      sem_t woken_ = {};
    };

    static sleeper& this_thread() {
      static thread_local sleeper self;
      return self;
    }

    /// The thread to be woken if there are so many jobs, or none; it is on its way then. Of those
    /// that sleep the last to lie down, whose data are still in the caches. To be called with the
    /// lock.
    [[nodiscard]] sleeper* to_be_woken_for(std::size_t jobs) {
      if (jobs_.size() < jobs || sleeping_.empty() || waking_)
        return nullptr;
      auto* const last = sleeping_.back();
      sleeping_.pop_back();
      waking_ = true;
      return last;
    }

    std::mutex mutex_;
    std::deque<caf::resumable*> jobs_;
    std::vector<sleeper*> sleeping_;
    /// A thread has been woken that has not looked at the jobs yet.
    bool waking_ = false;
  };

  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator* /*whose*/) {}
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    d(self).add_job(job);
  }
  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    d(self->parent()).add_job(job);
  }
  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    d(self->parent()).add_job(job);
  }
  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    d(self->parent()).add_job(job);
  }
  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    return d(self->parent()).wait_for_job();
  }
  template <class Worker, class Function>
  void foreach_resumable(Worker* /*self*/, Function /*function*/) {}
  template <class Coordinator, class Function>
  void foreach_central_resumable(Coordinator* self, Function function) {
    d(self).for_each_left(function);
  }
};

} // namespace herald
