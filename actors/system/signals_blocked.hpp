#pragma once

#include <csignal>

#include <pthread.h>

namespace herald {

/// Blocks all signals for the calling thread while it lives. A thread that is made meanwhile has
/// them blocked for good: signals are for the main thread.
class signals_blocked {
public:
  signals_blocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;

private:
  sigset_t before_{};
};

} // namespace herald
