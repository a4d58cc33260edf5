#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace herald::testing {

/// A network of its own for clients, joined to this machine's by a cable whose faults are ours: a
/// network namespace, a TUN device at each end, and a thread that carries the packets between them
/// or does not. Needs root, /dev/net/tun and iproute2; gone with the object.
class cabled_network {
public:
  /// What happens to packets of both directions. Jitter lets them overtake each other.
  struct fault {
    /// Of 1000 packets.
    unsigned lost = 0;
    std::chrono::milliseconds delay{0};
    std::chrono::milliseconds jitter{0};
  };

  /// Throws with the reason where this machine does not let us.
  explicit cabled_network(std::uint32_t seed);
  cabled_network(const cabled_network&) = delete;
  cabled_network& operator=(const cabled_network&) = delete;
  ~cabled_network();

  /// Where servers of this machine are reached over the cable.
  [[nodiscard]] const std::string& server_address() const noexcept { return server_; }
  /// Where what listens in the network is reached over the cable.
  [[nodiscard]] const std::string& client_address() const noexcept { return client_; }

  /// Runs this with sockets made in the network; they stay there.
  void inside(const std::function<void()>& make) const;

  void disturb(fault how) {
    const std::lock_guard lock{mutex_};
    fault_ = how;
  }
  /// No packet passes, and nobody is told.
  void cut() { disturb({1000, {}, {}}); }
  void mend() { disturb({}); }

  [[nodiscard]] std::size_t packets() const noexcept { return packets_; }
  [[nodiscard]] std::size_t lost() const noexcept { return lost_; }
  /// Packets that were lost though nobody said so: a device had no room for them.
  [[nodiscard]] std::size_t dropped() const;
  /// The longest that packets may have waited because the cable did for a processor; 20 ms of it
  /// are idle ones.
  [[nodiscard]] std::chrono::milliseconds longest_round() const noexcept { return longest_round_; }

private:
  void carry(std::uint32_t seed);
  fault current() {
    const std::lock_guard lock{mutex_};
    return fault_;
  }
  void close_all();

  std::string name_;
  std::string server_;
  std::string client_;
  int home_ = -1;
  int there_ = -1;
  /// The ends of the cable: what is read from one is written to the other.
  std::array<int, 2> ends_{-1, -1};
  std::mutex mutex_;
  fault fault_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> packets_ = 0;
  std::atomic<std::size_t> lost_ = 0;
  std::atomic<std::size_t> not_written_ = 0;
  std::atomic<std::chrono::milliseconds> longest_round_{};
  std::thread carrier_;
};

/// A network with its cable; null where this machine does not let us, and the reason in `why_not`.
[[nodiscard]] std::unique_ptr<cabled_network> lay_cable(std::uint32_t seed, std::string& why_not);

} // namespace herald::testing
