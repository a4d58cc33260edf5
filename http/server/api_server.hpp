#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include "actors/telemetry/metrics.hpp"
#include "http/keys/api_access.hpp"
#include "http/server/api_connection.hpp"
#include "http/server/api_lobby.hpp"
#include "http/server/api_options.hpp"
#include "http/server/api_socket.hpp"
#include "http/server/connection_places.hpp"
#include "http/server/connection_threads.hpp"
#include "http/server/httplib_adapter.hpp"
#include "http/server/request_guard.hpp"
#include "http/server/router.hpp"

namespace herald {

/// A way in beside the API's own port, for connections that somebody else has accepted and knows
/// what else to do with.
struct api_side_door {
  /// All that can be asked there. Complete, and outlives the server.
  const router* routes = nullptr;
  /// Names that requests may be for; empty: any. `hosts_setting` names where they are from.
  std::vector<std::string> hosts;
  const char* hosts_setting = "";
  /// How long a connection may be idle, as its client is told.
  std::chrono::seconds keep_alive_timeout{30};
  /// Whether a request is for these routes.
  std::function<bool(const request_head&)> takes;
  /// Takes a connection back whose next request is not, with the bytes that were read from the
  /// beginning of that request. The descriptor is the caller's: it needs a copy. False if it
  /// cannot. Safe from many threads at once; does not wait.
  std::function<bool(int descriptor, std::string_view read)> give_back;
};

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
  /// port; what it says names the settings. `routes` must be complete and outlive the server, as
  /// `access` must; null: everything may be asked.
  api_server(
    api_options options, const router& routes, metrics& numbers,
    std::optional<api_side_door> side_door = {}, api_access* access = nullptr);
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

  /// Serves a connection that came in by the side door, off which these bytes were read, until a
  /// request is not for there. Takes the descriptor over. Between `start` and `stop`, on one
  /// thread.
  void take_over(int descriptor, std::string read);

  /// Takes no more connections, finishes the requests under way (a client that is slow to send or
  /// to read gets a second or two more), ends idle connections and all threads. Calling it again
  /// does nothing.
  void stop();

private:
  enum class left : std::uint8_t {
    waiting,   ///< for the lobby
    elsewhere, ///< with a request that is not for here
    over,
  };

  [[nodiscard]] reading_rules reading(decltype(reading_rules::refuses) refuses) const;
  [[nodiscard]] std::optional<api_reply>
  refusal_before_body(api_door& by, const request_head& head, int descriptor) const;
  [[nodiscard]] client_address address_of(int descriptor) const;
  [[nodiscard]] bool asks_nobody() const;
  void on_client(int descriptor, std::string read, api_door& by);
  void turn_away(api_socket socket);
  void say_memory_is_out(const api_connection& client);
  void on_request(api_connection_ptr client);
  void give_back(api_connection_ptr client);
  void serve(api_connection_ptr client, bool stays);
  [[nodiscard]] left serve_requests(api_connection& client, bool stays);
  [[nodiscard]] bool await_next(api_connection& client);
  void answer(api_connection& client);
  [[nodiscard]] api_reply answer_to(api_connection& client);
  void refuse(api_connection& client, const failure& why, std::string_view reason);
  void count_refusal(std::string_view reason);

  const api_options options_;
  metrics& metrics_;
  api_access* const access_;
  api_wakeups wakeups_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> max_body_bytes_;
  /// Made before it is needed.
  prometheus::Counter& out_of_memory_;
  api_door front_;
  std::optional<api_door> side_;
  connection_places places_;
  api_lobby lobby_;
  connection_threads threads_;
  connection_threads reserved_threads_;
  httplib_adapter httplib_;
  const bool exposed_;
  prometheus::Gauge& exposed_gauge_;
};

} // namespace herald
