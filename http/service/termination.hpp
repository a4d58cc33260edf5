#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "actors/system/owned_fd.hpp"
#include "http/sockets/event_descriptor.hpp"

namespace herald {

/// Waits for what should end the process: SIGTERM, SIGINT, SIGQUIT, or `request`; or have it read
/// its settings again: SIGHUP. Others that would end it, and mean nothing to herald, are ignored
/// with a line of the log. A signal to end that comes after one of these ends the process at once,
/// with code 128 + its number, whatever stands still: a thread does nothing but listen for it.
///
/// Make one before the first thread: it blocks the signals for the thread that makes it and for all
/// that are started later.
class termination {
public:
  termination();
  termination(const termination&) = delete;
  termination& operator=(const termination&) = delete;
  ~termination();

  /// Gives the number of the signal, or 0 for `request`. SIGHUP no longer once it is to end.
  int wait();
  /// The same; nothing if neither has come by then.
  std::optional<int> wait_until(std::chrono::steady_clock::time_point deadline);

  /// Safe from any thread.
  void request();

private:
  void listen();
  void take(int signal);

  owned_fd signals_;
  event_descriptor requests_;
  event_descriptor closing_;
  /// Whether the process is to end already.
  std::atomic<bool> ending_ = false;
  /// The signal that nobody has waited for yet, or 0.
  std::atomic<int> signal_ = 0;
  std::thread listener_;
};

} // namespace herald
