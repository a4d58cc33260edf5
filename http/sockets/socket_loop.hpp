#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/types.h>

#include "http/sockets/send_ring.hpp"
#include "http/sockets/socket_set.hpp"

namespace herald {

/// The owner of a socket in a `socket_loop`.
class loop_socket {
public:
  /// Something has happened, as epoll says it; perhaps for no reason.
  virtual void ready(std::uint32_t what) = 0;
  /// The send is made: the bytes that the kernel took, or a negative error number.
  virtual void sent(ssize_t result) = 0;

protected:
  loop_socket() = default;
  loop_socket(const loop_socket&) = default;
  loop_socket& operator=(const loop_socket&) = default;
  ~loop_socket() = default;
};

/// Many sockets on one thread, cheaper than Asio's own: one epoll set for all, level-triggered, so
/// that waiting for more costs no call, and sends that are collected and made in one call of the
/// kernel. For names, connects and timers there is the io_context, which must be run.
class socket_loop {
public:
  /// Where a socket is in it.
  using place = std::uint32_t;

  /// Without `io_uring`, or where the kernel has none, each send is a call.
  explicit socket_loop(bool io_uring);
  socket_loop(const socket_loop&) = delete;
  socket_loop& operator=(const socket_loop&) = delete;
  ~socket_loop();

  [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }

  /// Watches no socket any more, so that the io_context can run out of work. On its thread.
  void stop_watching() { events_.cancel(); }

  /// Watches a socket that does not block, for bytes and its end. Nothing if the kernel has no
  /// room for it.
  [[nodiscard]] std::optional<place> add(int fd, loop_socket& owner);
  /// Also for room to write, or no longer.
  void watch_writable(place where, bool on);
  /// Watches a socket no more, and drops what is to be sent over it. Its owner closes it
  /// afterwards.
  void remove(place where);

  /// Sends soon: once all that is to be done now has been done. The bytes stay where they are until
  /// `sent`. One send for each socket at a time.
  void send(place where, const void* bytes, std::size_t count);

private:
  struct entry {
    int fd = -1;
    loop_socket* owner = nullptr;
  };

  void await_events();
  void take_events();
  void flush();

  const bool io_uring_;
  boost::asio::io_context io_{1};
  socket_set sockets_;
  boost::asio::posix::stream_descriptor events_{io_, sockets_.descriptor()};
  std::vector<entry> entries_;
  std::vector<place> free_;
  /// Sends for the next flush, and the places that they are for.
  std::vector<socket_send> sends_;
  std::vector<place> senders_;
  /// The sends of the flush that is under way; kept for their memory.
  std::vector<socket_send> sends_now_;
  std::vector<place> senders_now_;
  /// Made by the first flush, on the thread that it is for.
  std::optional<send_ring> ring_;
};

} // namespace herald
