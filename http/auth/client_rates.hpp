#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include "http/sockets/host_address.hpp"

namespace herald {

/// Counts by client how often something happens: so many times in a period are let pass, at once or
/// one after the other. Who has had as many gets the next as time goes by. Bounded: beyond, the
/// client that was counted longest ago is forgotten. Safe from any thread.
class client_rates {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct limits {
    /// In a period. 0: no limit.
    std::size_t count = 0;
    std::chrono::milliseconds period{60'000};
    /// Clients that are known at once, at least 1. Of each 144 bytes are kept, until it may do all
    /// of a period again.
    std::size_t clients = 1;
  };
  struct outcome {
    /// Zero: it was let pass.
    std::chrono::milliseconds wait{};
    bool forgot = false;
  };

  explicit client_rates(limits bounds) : limits_(bounds) {}

  void change(limits bounds);

  /// How long a client has to wait for the next time; zero: not at all.
  [[nodiscard]] std::chrono::milliseconds wait(const client_address& client, time_point now);

  /// It has happened, whether or not it was to wait. True if another client was forgotten for it
  /// before its time.
  bool note(const client_address& client, time_point now);

  /// Notes it, unless the client has to wait.
  [[nodiscard]] outcome take(const client_address& client, time_point now);

  /// Clients that are known.
  [[nodiscard]] std::size_t size() const;

private:
  struct record {
    /// How many times are left; may be a part of one.
    double left = 0;
    time_point last;
    /// Its place in the order of counting.
    std::uint64_t order = 0;
  };

  [[nodiscard]] std::chrono::milliseconds
  wait_of(const client_address& client, time_point now) const;
  bool put(const client_address& client, time_point now);
  [[nodiscard]] bool forget(time_point now);
  [[nodiscard]] double left_of(const record& known, time_point now) const;

  mutable std::mutex mutex_;
  limits limits_;
  std::map<client_address, record> records_;
  std::map<std::uint64_t, client_address> by_order_;
  std::uint64_t last_order_ = 0;
};

} // namespace herald
