#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include "http/sockets/host_address.hpp"

namespace herald {

/// Counts by address what has failed: so many a minute are let pass. Bounded: beyond, the address
/// that failed longest ago is forgotten. Safe from any thread.
class failed_attempts {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct limits {
    /// 0: no limit.
    std::size_t per_min = 0;
    /// Addresses that are known at once, at least 1.
    std::size_t addresses = 1;
  };

  explicit failed_attempts(limits bounds) : limits_(bounds) {}

  void change(limits bounds);

  /// How long an address has to wait before it may try again; zero: not at all.
  [[nodiscard]] std::chrono::milliseconds wait(const client_address& from, time_point now);

  /// An attempt has failed. True if another address was forgotten for it before its time.
  bool note(const client_address& from, time_point now);

private:
  struct record {
    /// How many attempts are left; may be a part of one.
    double left = 0;
    time_point last;
    /// Its place in the order of failing.
    std::uint64_t order = 0;
  };

  [[nodiscard]] double left_of(const record& known, time_point now) const;

  std::mutex mutex_;
  limits limits_;
  std::map<client_address, record> records_;
  std::map<std::uint64_t, client_address> by_order_;
  std::uint64_t last_order_ = 0;
};

} // namespace herald
