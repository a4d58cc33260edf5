#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/sse_client.hpp"

namespace herald::testing {

/// By publisher: the numbers that it was told are taken, in their order.
using ledger = std::map<std::string, std::vector<std::uint32_t>>;

/// Pages that hold streams, come back with their cursor whenever a stream ends, and note the number
/// of every event named `chaos` that they see. All in the thread that takes the turns.
class crowd {
public:
  struct options {
    std::size_t pages = 100;
    std::string prefix = "page-";
    std::string address = "127.0.0.1";
    /// Whole lines, of every request.
    std::string headers{};
    /// Longest wait before a page comes back.
    std::chrono::milliseconds retry{200};
    std::uint32_t seed = 1;
    /// Wraps whatever makes a connection.
    std::function<void(const std::function<void()>&)> connect = [](const auto& make) {
      make();
    };
  };

  crowd(std::uint16_t port, options how);

  /// Waits until all are open, coming back where they must. From then on they may miss nothing:
  /// a stream names its cursor in its first bytes.
  bool all_open(std::chrono::milliseconds limit = patience);

  /// One round: reads what there is, waits for it a little, sends back who has lost its stream.
  void turn(std::chrono::milliseconds longest = std::chrono::milliseconds{20});
  void turns_for(std::chrono::milliseconds time);
  /// Takes turns until every page has had the last number of each publisher.
  bool caught_up(const ledger& taken, std::chrono::milliseconds limit = patience);

  /// Where herald is now.
  void move_to(std::uint16_t port) { port_ = port; }
  /// Nobody comes back until this is called again with true.
  void come_back(bool yes) { comes_back_ = yes; }
  /// All streams are cut off and begin anew, with their cursors.
  void reconnect_all();
  /// One of them leaves, and comes back by and by.
  void leave(std::size_t page);

  /// What is wrong, in words, at most a few lines; empty if every page had each number that was
  /// taken once, in order. A number that its publisher is unsure about may be there or not.
  [[nodiscard]] std::string complaints(const ledger& taken) const;

  [[nodiscard]] std::size_t size() const noexcept { return pages_.size(); }
  [[nodiscard]] std::size_t open_now() const;
  /// Sums over all pages.
  [[nodiscard]] std::size_t events() const;
  /// Of the page that has had the fewest.
  [[nodiscard]] std::size_t least_events() const;
  [[nodiscard]] std::size_t returns() const noexcept { return returns_; }
  [[nodiscard]] std::size_t gaps() const noexcept { return gaps_; }
  /// Answers other than a stream, by status.
  [[nodiscard]] const std::map<int, std::size_t>& refusals() const noexcept { return refusals_; }

private:
  struct page {
    std::map<std::string, std::vector<std::uint32_t>> numbers;
    std::size_t events = 0;
    std::chrono::steady_clock::time_point returns_at;
    bool away = false;
  };

  void note(page& p, const sse_event& event);
  void send_back(std::size_t i);

  std::uint16_t port_;
  options options_;
  std::vector<sse_client> clients_;
  std::vector<page> pages_;
  std::minstd_rand random_;
  bool comes_back_ = true;
  std::size_t returns_ = 0;
  std::size_t gaps_ = 0;
  std::map<int, std::size_t> refusals_;
};

} // namespace herald::testing
