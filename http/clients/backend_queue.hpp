#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
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
  /// Told of the body of a 2xx, if there is one. May be empty.
  std::function<void(const connect_answer_read&)> read = {};
};

/// Callbacks that wait for a connection. A client waits for a connect, nobody for a disconnect: so
/// connects go first. In the order of arrival among their like. Not thread-safe.
///
/// Callbacks of one action must be pushed with deadlines that never fall.
class backend_queue {
public:
  /// Both limits are per action.
  explicit backend_queue(
    std::size_t limit, std::size_t max_bytes = std::numeric_limits<std::size_t>::max())
    : limit_(limit),
      max_bytes_(max_bytes) {}

  /// Whether there is no room for it. One always has room that waits alone.
  [[nodiscard]] bool full(const call_backend& added) const noexcept;

  /// Only where it is not full for that callback.
  void push(pending_callback added);

  /// The next one to be sent.
  std::optional<pending_callback> pop();

  /// Takes out what can not be sent in time any more.
  std::vector<pending_callback> expire(pending_callback::clock::time_point now);

  /// When the next one expires.
  [[nodiscard]] std::optional<pending_callback::clock::time_point> next_deadline() const;

  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept;

private:
  struct line {
    std::deque<pending_callback> calls;
    std::size_t bytes = 0;
  };
  static pending_callback take_first(line& from);

  std::size_t limit_;
  std::size_t max_bytes_;
  /// By action.
  std::array<line, 2> waiting_;
};

} // namespace herald
