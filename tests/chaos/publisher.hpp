#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/crowd.hpp"

namespace herald::testing {

/// Publishes numbered events to everyone from a thread of its own, one request after the other, and
/// keeps the numbers that were taken (202, or 200 where it waits). A request that is refused, or
/// whose connection dies, is not repeated: its numbers are never used again, and whether they were
/// published is unknown.
class publisher {
public:
  struct options {
    std::chrono::milliseconds pace{5};
    /// Events in a request.
    std::size_t batch = 1;
    /// Bytes that each event carries besides its number.
    std::size_t filler = 0;
    /// The next request waits until all streams have the last one's events, or for two seconds: no
    /// more is under way than the streams take, however little of a processor they have.
    bool waits = false;
    /// Events that it publishes before it is allowed more.
    std::size_t allowed = std::numeric_limits<std::size_t>::max();
  };

  publisher(std::string name, std::uint16_t api_port, options how);
  publisher(const publisher&) = delete;
  publisher& operator=(const publisher&) = delete;
  ~publisher() { stop(); }

  /// Where herald is now.
  void move_to(std::uint16_t api_port) { port_ = api_port; }
  /// It publishes so many in all.
  void allow(std::size_t events) { allowed_ = events; }
  /// Ends the thread; then its numbers are complete.
  void stop();
  void add_to(ledger& book) const;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::size_t taken() const noexcept { return taken_count_; }
  [[nodiscard]] std::size_t refused() const noexcept { return refused_; }
  /// The longest that a request took to be answered.
  [[nodiscard]] std::chrono::milliseconds slowest() const noexcept { return slowest_.load(); }

private:
  void run();
  [[nodiscard]] std::string body(std::uint32_t first) const;

  std::string name_;
  options options_;
  std::atomic<std::uint16_t> port_;
  std::atomic<std::size_t> allowed_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> taken_count_ = 0;
  std::atomic<std::size_t> refused_ = 0;
  std::atomic<std::chrono::milliseconds> slowest_{};
  std::vector<std::uint32_t> taken_;
  std::thread thread_;
};

/// Stops them and gives all that was taken.
[[nodiscard]] ledger stop_all(std::vector<std::unique_ptr<publisher>>& publishers);

/// Starts `count` of them, named p0, p1...
[[nodiscard]] std::vector<std::unique_ptr<publisher>>
start_publishers(std::uint16_t api_port, std::size_t count, publisher::options how);

} // namespace herald::testing
