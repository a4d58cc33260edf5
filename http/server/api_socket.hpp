#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <sys/eventfd.h>

#include "actors/system/owned_fd.hpp"
#include "http/sockets/event_descriptor.hpp"

namespace herald {

/// The events that wake all connections of a server.
struct api_wakeups {
  /// Raised once the server stops.
  event_descriptor stopping;
  /// Gives a token for each connection that should make room.
  event_descriptor make_room{EFD_SEMAPHORE};
};

/// An accepted connection with a buffer and with deadlines that no slow peer can stretch. Owns its
/// descriptor. Used by one thread.
class api_socket {
public:
  using clock = std::chrono::steady_clock;

  enum class event : std::uint8_t {
    readable,  ///< there are bytes
    closed,    ///< the peer is gone
    timed_out, ///< the deadline has passed
    stopping,  ///< the server stops and the peer has sent nothing
    make_room, ///< others need this connection's thread and the peer has sent nothing
  };

  /// `wakeups` outlive this.
  api_socket(int descriptor, const api_wakeups& wakeups);

  /// Waits for the first byte of a request.
  event wait_for_request(clock::time_point deadline);

  /// Reads what is there into the buffer; waits for at least one byte. Once the server stops, a
  /// deadline further away than a second is cut to that.
  event fill(clock::time_point deadline);

  [[nodiscard]] std::string_view buffered() const noexcept {
    return std::string_view{buffer_}.substr(consumed_);
  }
  void consume(std::size_t bytes);

  /// False if the peer is gone or does not read.
  bool write(std::string_view bytes, clock::time_point deadline);

  /// Says that nothing more will be written, and throws away for a while what the peer still sends:
  /// closing a socket with unread bytes would take back the answer that is under way.
  void finish();

private:
  event receive(std::size_t limit);
  event wait(short events, clock::time_point& deadline);

  owned_fd descriptor_;
  const api_wakeups& wakeups_;
  bool hurried_ = false;
  std::string buffer_;
  std::size_t consumed_ = 0;
};

} // namespace herald
