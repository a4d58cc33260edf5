#pragma once

#include <chrono>
#include <cstddef>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <prometheus/counter.h>

#include "actors/system/owned_fd.hpp"
#include "http/sockets/socket_set.hpp"

namespace herald {

/// The next owner of the clients of an acceptor. Must not call it back, but for `stop`.
class client_sink {
public:
  client_sink() = default;
  client_sink(const client_sink&) = delete;
  client_sink& operator=(const client_sink&) = delete;
  virtual ~client_sink() = default;

  /// A non-blocking socket; closing it is up to the sink.
  virtual void on_client(int fd, std::chrono::steady_clock::time_point now) = 0;
  /// All clients that had gathered are here: the sink was called by a timer, not by an event.
  virtual void on_gathered() = 0;
};

/// Takes the clients of one listener.
///
/// A client that comes alone is accepted at once. Clients that come within a pause of others wait
/// for its end and are accepted together: a loop that is woken for each of many spends more time on
/// waking up than on them (measured: 51,000 context switches for 20,000 clients), and by then their
/// requests are mostly here too. Where descriptors or memory are short the acceptor makes a longer
/// pause. Meanwhile clients are in the kernel's backlog.
///
/// For the loop's thread.
class acceptor {
public:
  using clock = std::chrono::steady_clock;

  /// Between two looks at the listener while many come.
  static constexpr std::chrono::milliseconds gathering_pause{1};
  /// Clients taken in one go.
  static constexpr std::size_t slice = 64;

  struct counters {
    prometheus::Counter& accepted;
    /// Of those: let wait for others.
    prometheus::Counter& gathered;
    prometheus::Counter& errors;
  };

  /// `listener` is a non-blocking descriptor that listens, and is `tag` in `sockets`.
  /// `loop` names the loop in the log.
  acceptor(
    boost::asio::io_context& io, socket_set& sockets, socket_tag tag, owned_fd listener,
    const counters& numbers, unsigned loop, client_sink& sink);
  acceptor(const acceptor&) = delete;
  acceptor& operator=(const acceptor&) = delete;

  /// Watches the listener, or goes on with that where the sink threw an exception.
  void listen();
  /// Takes no clients any more, for good: the listener is closed.
  void stop();
  /// Clients wait at the listener.
  void on_event(clock::time_point now);
  /// Clients that come now are let wait; `on_gathered` will come.
  [[nodiscard]] bool gathering() const noexcept { return now_ == state::gathering; }

private:
  enum class state : std::uint8_t { idle, listening, gathering, starved };

  std::size_t accept_some(clock::time_point now);
  void pause(state why, clock::time_point until);
  void on_gathered();
  void on_shortage(int error);

  boost::asio::steady_timer timer_;
  socket_set& sockets_;
  const socket_tag tag_;
  owned_fd listener_;
  counters numbers_;
  const unsigned loop_;
  client_sink& sink_;
  state now_ = state::idle;
  clock::time_point gather_until_;
};

} // namespace herald
