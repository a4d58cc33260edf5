#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "http/server/api_options.hpp"
#include "http/server/api_socket.hpp"
#include "http/server/connection_places.hpp"
#include "http/server/request_reader.hpp"

namespace herald {

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

  api_connection(
    api_socket accepted, connection_places::place taken, const api_options& options,
    const std::atomic<std::size_t>& max_body_bytes)
    : place(std::move(taken)),
      socket(std::move(accepted)),
      reader(options, max_body_bytes),
      requests_left(options.keep_alive_requests) {}

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
  void begin_next(const api_options& options, const std::atomic<std::size_t>& max_body_bytes) {
    reader = request_reader{options, max_body_bytes};
    since = clock::now();
    answered = true;
    place.hold(socket.buffered().size());
  }

  connection_places::place place;
  api_socket socket;
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
