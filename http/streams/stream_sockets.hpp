#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include <prometheus/counter.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "http/fanout/send_bursts.hpp"
#include "http/fanout/stream_table.hpp"
#include "http/sockets/send_ring.hpp"
#include "http/sockets/socket_set.hpp"

namespace herald {

/// The sockets of a table's streams: all that is read from them, written to them, and asked of
/// them. For the loop's thread.
class stream_sockets final : public stream_io {
public:
  struct hooks {
    /// Called when a stream has ended; its socket is closed.
    std::function<void(const ended_stream&)> ended;
    /// Called between two bursts of sends, to let other threads run.
    void (*yield)() = &yield_thread;
  };

  /// In `sockets` streams have tags of this kind, with their slot as index. `unreachable` counts
  /// errors that say that there is no way to a client.
  stream_sockets(
    socket_set& sockets, std::uint32_t kind, bool io_uring, prometheus::Counter& unreachable,
    hooks calls);

  /// Why there is no io_uring: an error number, or 0.
  [[nodiscard]] int ring_error() const noexcept { return ring_.error(); }

  /// Has the table send, as its `run_slice`. The bursts of each pass begin small.
  bool run_slice(stream_table& table, std::size_t sends);
  /// Tells the table what has happened to a socket.
  void on_event(const socket_event& event, stream_table& table);

  /// Closes all sockets of a table that is about to end, and is told nothing.
  static void close_all(const stream_table& table);

  ssize_t write(int fd, const iovec* parts, int count) override;
  void write_each(std::span<socket_send> sends, pauses how) override;
  void watch_writable(int fd, stream_slot slot, bool on) override;
  void ended(const ended_stream& stream) override;

private:
  static void yield_thread();
  static void close(int fd);
  ssize_t judge(ssize_t result);

  socket_set& sockets_;
  const std::uint32_t kind_;
  send_ring ring_;
  send_bursts bursts_;
  prometheus::Counter& unreachable_;
  const hooks hooks_;
};

} // namespace herald
