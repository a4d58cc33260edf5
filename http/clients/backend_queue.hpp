#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "messages/backend.hpp"

namespace herald {

/// A callback that is to be made, and whom to tell how it went.
struct pending_callback {
  using clock = std::chrono::steady_clock;

  call_backend call;
  std::function<void(const backend_answered&)> done;
  clock::time_point submitted;
  /// Pointless to send it later than this.
  clock::time_point deadline;
};

/// Callbacks that wait for a connection. A client waits for a connect, nobody for a disconnect: so
/// connects go first. In the order of arrival among their like. Not thread-safe.
///
/// Callbacks of one action must be pushed with deadlines that never fall.
class backend_queue {
public:
  /// `limit` is per action.
  explicit backend_queue(std::size_t limit) : limit_(limit) {}

  [[nodiscard]] bool full(callback_action action) const noexcept;

  /// Only where it is not full for that action.
  void push(pending_callback added);

  /// The next one to be sent.
  std::optional<pending_callback> pop();

  /// Takes out what can not be sent in time any more.
  std::vector<pending_callback> expire(pending_callback::clock::time_point now);

  /// When the next one expires.
  [[nodiscard]] std::optional<pending_callback::clock::time_point> next_deadline() const;

  [[nodiscard]] std::size_t size() const noexcept;

private:
  std::size_t limit_;
  /// By action.
  std::array<std::deque<pending_callback>, 2> waiting_;
};

} // namespace herald
