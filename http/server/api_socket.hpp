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

/// The events that wake all threads which wait for a request of their connection.
struct api_wakeups {
  /// Raised once the server stops.
  event_descriptor stopping;
  /// Gives a token for each thread that should do without its connection.
  event_descriptor make_room{EFD_SEMAPHORE};
};

/// An accepted connection with what was read off it and what is to be written to it. Only `wait`
/// waits. Owns its descriptor. Used by one thread at a time.
class api_socket {
public:
  using clock = std::chrono::steady_clock;

  enum class event : std::uint8_t {
    readable,  ///< there are bytes, or the peer is gone
    timed_out, ///< the deadline has passed
    stopping,  ///< the server stops
    make_room, ///< others need this thread
  };

  enum class input : std::uint8_t {
    bytes,   ///< there are more in the buffer now
    nothing, ///< so far
    ended,   ///< the peer is gone
  };

  enum class output : std::uint8_t {
    written, ///< all of it
    blocked, ///< the peer does not read as fast
    failed,  ///< the peer is gone
  };

  /// `read` was read off the connection before.
  explicit api_socket(int descriptor, std::string read = {});

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }

  /// Waits for bytes.
  event wait(const api_wakeups& wakeups, clock::time_point deadline) const;

  /// Reads what is there into the buffer, up to some KiB.
  input fill();

  [[nodiscard]] std::string_view buffered() const noexcept {
    return std::string_view{buffer_}.substr(consumed_);
  }
  void consume(std::size_t bytes);

  /// To be written after what is there already.
  void put(std::string bytes);
  [[nodiscard]] bool has_output() const noexcept { return written_ < output_.size(); }
  /// Writes at once, as far as the kernel takes it, and needs no memory. For a text that ends the
  /// connection.
  void say(std::string_view last_words) const noexcept;
  /// Writes what the kernel takes.
  output flush();
  /// Says to the peer that nothing more will be written.
  void end_output() const;

private:
  owned_fd descriptor_;
  std::string buffer_;
  std::size_t consumed_ = 0;
  std::string output_;
  std::size_t written_ = 0;
};

/// As poll takes it: 0 once it has passed, an hour at most.
[[nodiscard]] int milliseconds_until(api_socket::clock::time_point deadline);

} // namespace herald
