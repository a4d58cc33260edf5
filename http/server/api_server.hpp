#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <prometheus/counter.h>

#include "actors/system/shared_value.hpp"
#include "actors/telemetry/metrics.hpp"
#include "http/server/api_connection.hpp"
#include "http/server/api_dispatcher.hpp"
#include "http/server/api_lobby.hpp"
#include "http/server/api_options.hpp"
#include "http/server/api_socket.hpp"
#include "http/server/connection_places.hpp"
#include "http/server/connection_threads.hpp"
#include "http/server/httplib_adapter.hpp"
#include "http/server/request_guard.hpp"
#include "http/server/router.hpp"

namespace herald {

/// The API's HTTP server. Each complete request is answered on a thread of the server, many at
/// once; a thread stays with a connection that goes on asking, for as long as no other request
/// waits for one. All other connections are in the lobby, and cost none. Routes with
/// `route_input::reserved` have threads and connections of their own.
///
/// Requests of web pages, and for other hosts, are refused (`request_guard`).
/// A request for which there is no memory is answered with a text that needs none.
/// Head and body of each request are read strictly and bounded (`request_reader`). What is refused
/// is answered with a problem document and the connection is closed, as is every connection of
/// which a body was not read to its end. No connection that has sent a byte is closed without an
/// answer, but for one whose answer said that it would be.
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

  /// Has the settings in force for the requests that come from now on: origins, hosts, the length
  /// of bodies.
  void reconfigure(const api_settings& settings);

  /// Serves a connection that somebody else has accepted, off which these bytes were read. Takes
  /// the descriptor over; between `start` and `stop`, on one thread.
  void take_over(int descriptor, std::string read) { on_client(descriptor, std::move(read)); }

  /// Takes no more connections, finishes the requests under way (a client that is slow to send or
  /// to read gets a second or two more), ends idle connections and all threads. Calling it again
  /// does nothing.
  void stop();

private:
  void on_client(int descriptor, std::string read);
  void turn_away(api_socket socket);
  void say_memory_is_out(const api_connection& client);
  void on_request(api_connection_ptr client);
  void serve(api_connection_ptr client, bool stays);
  [[nodiscard]] bool serve_requests(api_connection& client, bool stays);
  [[nodiscard]] bool await_next(api_connection& client);
  void answer(api_connection& client);
  [[nodiscard]] api_reply answer_to(const request_head& head, std::string body);
  void refuse(api_connection& client, const failure& why, std::string_view reason);
  void count_refusal(std::string_view reason);

  const api_options options_;
  metrics& metrics_;
  api_dispatcher dispatcher_;
  api_wakeups wakeups_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> max_body_bytes_;
  /// Made before it is needed.
  prometheus::Counter& out_of_memory_;
  connection_places places_;
  api_lobby lobby_;
  connection_threads threads_;
  connection_threads reserved_threads_;
  httplib_adapter httplib_;
  const bool exposed_;
  const shared_value<request_guard> guard_;
};

} // namespace herald
