#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "actors/system/shared_value.hpp"
#include "actors/telemetry/metrics.hpp"
#include "http/server/api_dispatcher.hpp"
#include "http/server/api_socket.hpp"
#include "http/server/connection_places.hpp"
#include "http/server/request_guard.hpp"
#include "http/server/request_reader.hpp"
#include "http/server/router.hpp"

namespace herald {

/// A way in to the API: who may come, and what can be asked.
struct api_door {
  api_door(
    const router& routes, metrics& numbers, api_access* access, request_guard who,
    reading_rules how, std::chrono::seconds idle)
    : dispatcher(routes, numbers, access),
      guard(std::move(who)),
      reading(std::move(how)),
      keep_alive_timeout(idle) {}

  api_dispatcher dispatcher;
  const shared_value<request_guard> guard;
  const reading_rules reading;
  /// How long a connection may be idle, as its client is told.
  const std::chrono::seconds keep_alive_timeout;
  /// For requests that are not for here (`api_side_door::give_back`).
  std::function<bool(int descriptor, std::string_view read)> give_back;
};

/// A connection of an API client. Whoever has it, the lobby or a thread that answers, has it alone.
struct api_connection {
  using clock = api_socket::clock;

  /// What follows once all output is written.
  enum class ending : std::uint8_t {
    none,  ///< the next request
    close, ///< the end
    /// The end, once for a while what the peer still sends was thrown away: closing a socket with
    /// unread bytes would take back the answer that is under way.
    drain,
  };

  /// `door` outlives it.
  api_connection(
    api_socket accepted, connection_places::place taken, api_door& door, std::size_t most_requests)
    : place(std::move(taken)),
      socket(std::move(accepted)),
      by(&door),
      reader(door.reading),
      requests_left(most_requests) {}

  /// Goes on reading, and says how many bytes it holds.
  request_reader::outcome read() {
    const bool waited = !reader.begun();
    const auto outcome = reader.read(socket);
    if (waited && answered && reader.begun())
      since = clock::now();
    place.hold(reader.used() + socket.buffered().size());
    return outcome;
  }

  /// The request is answered; another may follow.
  void begin_next() {
    reader = request_reader{by->reading};
    since = clock::now();
    answered = true;
    place.hold(socket.buffered().size());
  }

  connection_places::place place;
  api_socket socket;
  api_door* by;
  request_reader reader;
  std::size_t requests_left;
  /// When the request began that it reads; of the first one, when the client came.
  clock::time_point since = clock::now();
  /// A request was answered before this one.
  bool answered = false;
  ending then = ending::none;
};

using api_connection_ptr = std::unique_ptr<api_connection>;

} // namespace herald
