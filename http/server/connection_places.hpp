#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <prometheus/gauge.h>

#include "actors/telemetry/metrics.hpp"
#include "http/sockets/event_descriptor.hpp"
#include "http/sockets/host_address.hpp"

namespace herald {

struct place_limits {
  /// Connections of everybody, and those beyond that are there for a route with `reserved` alone.
  std::size_t connections = 0;
  std::size_t reserve = 0;
  /// Connections of one address; 0: no limit.
  std::size_t per_address = 0;
  /// Of all requests that are being read, wait or are answered.
  std::size_t bytes = 0;
};

/// Counts connections of the API and the bytes of their requests. Safe from any thread.
class connection_places {
public:
  /// The right to a connection. Gives itself back, and the bytes that it holds. Used by one thread
  /// at a time.
  class place {
  public:
    place(place&& other) noexcept
      : from_(std::exchange(other.from_, nullptr)),
        address_(other.address_),
        bytes_(other.bytes_),
        beyond_(other.beyond_) {}
    place& operator=(place&&) = delete;
    place(const place&) = delete;
    ~place();

    /// Holds so many bytes from now on.
    void hold(std::size_t bytes);
    [[nodiscard]] std::size_t held() const noexcept { return bytes_; }
    /// Whether it was one of the reserve when it was given.
    [[nodiscard]] bool beyond() const noexcept { return beyond_; }

  private:
    friend connection_places;
    place(connection_places& from, const std::optional<client_address>& address, bool beyond)
      : from_(&from),
        address_(address),
        beyond_(beyond) {}

    connection_places* from_;
    std::optional<client_address> address_;
    std::size_t bytes_ = 0;
    bool beyond_;
  };

  connection_places(const place_limits& limits, metrics& numbers);

  /// Nothing where all places are taken, the reserve's too, or all that one address may have. No
  /// address: it is not counted.
  [[nodiscard]] std::optional<place> take(const std::optional<client_address>& address);

  /// Connections beyond the limit.
  [[nodiscard]] std::size_t beyond() const noexcept;
  /// Whether more than half of the reserve is taken.
  [[nodiscard]] bool scarce() const noexcept;
  /// Whether connections should end when they can.
  [[nodiscard]] bool crowded() const noexcept;
  /// Bytes beyond the limit.
  [[nodiscard]] std::size_t bytes_beyond() const noexcept;

  [[nodiscard]] bool empty() const noexcept { return taken_ == 0; }
  /// `emptied` is raised once there is no connection, if there is one now.
  void announce_end() noexcept { ending_ = true; }
  [[nodiscard]] const event_descriptor& emptied() const noexcept { return emptied_; }

private:
  void give_back(const place& used);

  const place_limits limits_;
  std::atomic<std::size_t> taken_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<bool> ending_{false};
  event_descriptor emptied_;
  std::mutex mutex_;
  std::map<client_address, std::size_t> by_address_;
  prometheus::Gauge& open_;
  prometheus::Gauge& held_;
};

} // namespace herald
