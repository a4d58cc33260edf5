#pragma once

#include <chrono>
#include <optional>

#include "actors/system/owned_fd.hpp"
#include "http/sockets/event_descriptor.hpp"

namespace herald {

/// Waits for what should end the process: SIGTERM, SIGINT, or `request`.
///
/// Make one before the first thread: it blocks the signals for the thread that makes it and for all
/// that are started later, so that only `wait` gets them.
class termination {
public:
  termination();

  /// Gives the number of the signal, or 0 for `request`.
  int wait();
  /// The same; nothing if neither has come by then.
  std::optional<int> wait_until(std::chrono::steady_clock::time_point deadline);

  /// Safe from any thread.
  void request();

private:
  owned_fd signals_;
  event_descriptor requests_;
};

} // namespace herald
