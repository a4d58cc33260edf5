#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include <prometheus/gauge.h>

#include "actors/telemetry/metrics.hpp"
#include "http/server/api_dispatcher.hpp"
#include "http/server/api_options.hpp"
#include "http/server/api_socket.hpp"
#include "http/server/connection_threads.hpp"
#include "http/server/httplib_adapter.hpp"
#include "http/server/request_guard.hpp"
#include "http/server/router.hpp"

namespace herald {

/// The API's HTTP server. Requests run on threads of the server, one per connection, many at once.
///
/// Requests of web pages, and for other hosts, are refused (`request_guard`).
/// Head and body of each request are read strictly and bounded (`request_reader`). What is refused
/// is answered with a problem document and the connection is closed, as is every connection of
/// which a body was not read to its end.
class api_server {
public:
  /// Binds. Throws std::runtime_error if the address cannot be had, also if another process has the
  /// port; what it says names the settings. `routes` must be complete and outlive the server.
  api_server(api_options options, const router& routes, metrics& numbers);
  /// Stops.
  ~api_server();

  api_server(const api_server&) = delete;
  api_server& operator=(const api_server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return httplib_.port(); }

  /// Serves, on threads of its own. Warns where others than this machine reach it. Connections made
  /// since the constructor are waiting. Call it once.
  void start();

  /// Takes no more connections, finishes the requests under way (a client that is slow to send or
  /// to read gets a second or two more), ends idle connections and all threads. Calling it again
  /// does nothing.
  void stop();

private:
  void on_client(int descriptor);
  void serve(int descriptor, void (api_server::*how)(api_socket&));
  void serve_requests(api_socket& socket);
  void turn_away(api_socket& socket);
  bool serve_one(api_socket& socket, bool last);
  bool answer(api_socket& socket, const request_head& head, api_reply& reply, bool last);
  void answer_last(api_socket& socket, api_reply reply, bool with_body);
  [[nodiscard]] api_reply answer_to(const request_head& head, std::string body);
  void count_refusal(std::string_view reason);

  const api_options options_;
  metrics& metrics_;
  api_dispatcher dispatcher_;
  api_wakeups wakeups_;
  std::atomic<bool> stopping_{false};
  prometheus::Gauge& open_;
  connection_threads threads_;
  httplib_adapter httplib_;
  const bool exposed_;
  const request_guard guard_;
};

} // namespace herald
