#pragma once

#include <cstdint>
#include <memory>

#include "actors/telemetry/metrics.hpp"
#include "http/server/api_options.hpp"
#include "http/server/router.hpp"

namespace herald {

/// The API's HTTP server: cpp-httplib behind a guard.
///
/// httplib 0.11 trusts its clients: no limit for chunked bodies or for the number of headers,
/// lenient about lengths, decompresses without bound, parses forms by itself. So the guard reads
/// head and body of each request, strictly and bounded, and httplib gets to see only what it must.
/// What the guard refuses is answered with a problem document and the connection is closed, as is
/// every connection of which a body was not read to its end.
///
/// Requests run on threads of the server, one per connection, many at once.
class api_server {
public:
  /// Binds. Throws std::runtime_error if the address cannot be had, also if another process has the
  /// port; what it says names the settings. `routes` must be complete and outlive the server.
  api_server(api_options options, const router& routes, metrics& numbers);
  /// Stops.
  ~api_server();

  api_server(const api_server&) = delete;
  api_server& operator=(const api_server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;

  /// Serves, on threads of its own. Connections made since the constructor are waiting. Call it
  /// once.
  void start();

  /// Takes no more connections, finishes the requests under way (a client that is slow to send or
  /// to read gets a second or two more), ends idle connections and all threads. Calling it again
  /// does nothing.
  void stop();

private:
  class engine;

  std::unique_ptr<engine> engine_;
};

} // namespace herald
