#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class async_logger;
namespace details {
class thread_pool;
}
} // namespace spdlog

namespace herald::log {

/// Bounds of what waits to be written; one line more is lost.
struct queue_limits {
  std::size_t lines = 4096;
  std::size_t bytes = 1'048'576;
};

/// Writes lines to a descriptor on a thread of its own, so that whoever has something to say never
/// waits for whoever reads it. The thread takes no signals.
///
/// A line for which there is no room is lost, and counted: what came first is kept, as it is more
/// likely the cause. Once half of the room is free again, a line of `tell_lost` says how many were.
class line_queue {
public:
  using tell_lost = std::function<std::string(std::uint64_t count)>;

  /// The descriptor must outlive it.
  line_queue(int descriptor, const queue_limits& limits, tell_lost tell);
  line_queue(const line_queue&) = delete;
  line_queue& operator=(const line_queue&) = delete;
  /// Writes what waits, for as long as that takes.
  ~line_queue();

  /// Adds a line, without its line break. Never blocks. Safe from any thread.
  void push(std::string_view line);

  /// Waits until all lines are written, at most for so long. False if some are not.
  [[nodiscard]] bool drain(std::chrono::milliseconds longest) const;

  /// Lines that were lost so far: no room for them, or they could not be written.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

private:
  class writer;

  queue_limits limits_;
  std::atomic<std::size_t> lines_ = 0;
  std::atomic<std::size_t> bytes_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;
  std::shared_ptr<spdlog::details::thread_pool> thread_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

} // namespace herald::log
