#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "http/keys/api_key.hpp"
#include "messages/events.hpp"

namespace herald {

/// How the API is served (settings `api`).
struct api_settings {
  std::string host = "127.0.0.1";
  /// 0 takes a free one.
  std::uint16_t port = 8080;
  /// Requests that are answered at the same time, a thread each, and connections beside them, which
  /// are idle, send a request or wait for a thread. Those beyond get 503.
  std::size_t max_connections = 1024;
  std::size_t max_waiting_connections = 4096;
  /// Connections beyond all others, for health checks and metrics.
  std::size_t reserved_connections = 64;
  /// 0: no limit. A gateway or a proxy has one address.
  std::size_t max_connections_per_address = 0;
  /// Where connections are short, requests that come more slowly lose theirs; 0: none does. As
  /// Apache has it (mod_reqtimeout, MinRate).
  std::size_t min_rate_bytes = 500;
  /// Of all requests that are being read, wait or are answered.
  std::size_t max_request_bytes = std::size_t{256} << 20U;
  std::size_t max_body_bytes = std::size_t{8} << 20U;
  /// Of the data of one event; a matter of the routes.
  std::size_t max_event_bytes = std::size_t{256} << 10U;
  /// How long `?wait=true` waits where it has no `wait_ms`; a matter of the routes.
  std::chrono::milliseconds wait_ms = publish_wait;
  /// How long the answer to a request with an Idempotency-Key is kept, and how much of such; a
  /// matter of the routes.
  std::chrono::milliseconds idempotency_s{300'000};
  std::size_t max_idempotency_bytes = std::size_t{16} << 20U;
  /// Pages that may use the API; none by default, also not those of its own host.
  std::vector<std::string> origins;
  /// Names that the API is reached under, beside IP addresses and localhost. Checked on loopback,
  /// elsewhere if there are any.
  std::vector<std::string> hosts;
  /// Who may use the API; empty: whoever reaches it. A matter of `api_access`.
  std::vector<api_key> keys;
  /// Whether it is meant that there are no keys where others than this machine reach it.
  bool open = false;
};

/// The settings, and what is none. Deadlines are for the whole, not for each read.
struct api_options : api_settings {
  /// How long a connection may be idle between requests, and how many requests it may send.
  std::chrono::seconds keep_alive_timeout{30};
  std::size_t keep_alive_requests = 100'000;
  /// From the first byte of a request to the end of its head; then to the end of its body.
  std::chrono::milliseconds head_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  /// For writing an answer.
  std::chrono::milliseconds write_timeout{10'000};
  /// Whether the peer of a socket is a proxy, with many clients: its connections are not counted by
  /// its address. Empty: nobody is.
  std::function<bool(int)> is_proxy{};
};

} // namespace herald
