#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "http/sockets/host_address.hpp"

namespace herald {

/// Admits streams up to the limits, over all loops. Safe from any thread.
class stream_limits {
public:
  /// Held by a stream that is admitted; to be given back.
  using lease = std::uint32_t;
  /// Of a stream whose address is not counted.
  static constexpr lease uncounted = std::numeric_limits<lease>::max();

  enum class refusal : std::uint8_t { too_many, too_many_per_address };

  /// `per_address` 0: no limit, and addresses are not counted.
  stream_limits(std::size_t total, std::size_t per_address)
    : total_(total),
      per_address_(per_address) {}

  /// Nothing for a client that is counted to no address.
  [[nodiscard]] std::variant<lease, refusal> admit(const std::optional<client_address>& address);
  void release(lease held);

  /// Other limits, for who asks from now on; streams that were not counted stay so.
  void change(std::size_t total, std::size_t per_address) noexcept {
    total_ = total;
    per_address_ = per_address;
  }

  [[nodiscard]] std::size_t total() const noexcept { return total_; }

private:
  struct entry {
    client_address address{};
    std::size_t streams = 0;
  };

  std::atomic<std::size_t> total_;
  std::atomic<std::size_t> per_address_;
  std::atomic<std::size_t> admitted_ = 0;

  std::mutex mutex_;
  std::map<client_address, lease> by_address_;
  std::deque<entry> entries_;
  std::vector<lease> free_;
};

} // namespace herald
