#include "http/streams/stream_sockets.hpp"

#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "actors/system/owned_fd.hpp"

namespace herald {

namespace {

/// The kernel has heard nothing from the client for too long, or that there is no way to it.
bool is_out_of_reach(int error) {
  return error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
}

int error_of(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

} // namespace

stream_sockets::stream_sockets(
  socket_set& sockets, std::uint32_t kind, bool io_uring, prometheus::Counter& unreachable,
  hooks calls)
  : sockets_(sockets),
    kind_(kind),
    ring_(io_uring ? send_bursts::most : 0),
    unreachable_(unreachable),
    hooks_(std::move(calls)) {}

/// A thread that waits for this core goes first, if the kernel counts it to the same group.
void stream_sockets::yield_thread() {
  std::this_thread::yield();
}

bool stream_sockets::run_slice(stream_table& table, std::size_t sends) {
  const bool more = table.run_slice(sends);
  if (!more)
    bursts_.restart();
  return more;
}

void stream_sockets::on_event(const socket_event& event, stream_table& table) {
  const auto slot = event.tag.index;
  const auto fd = table.descriptor(slot);
  if (fd < 0)
    return;
  if ((event.what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    if ((event.what & EPOLLERR) != 0 && is_out_of_reach(error_of(fd)))
      unreachable_.Increment();
    table.drop(slot, end_reason::client_closed);
    return;
  }
  if ((event.what & EPOLLIN) != 0) {
    std::array<char, 4096> unwanted; // NOLINT: written by recv
    const auto bytes = ::recv(fd, unwanted.data(), unwanted.size(), MSG_DONTWAIT);
    if (bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR))
      table.drop(slot, end_reason::client_closed);
    else if (bytes > 0)
      table.received(slot, static_cast<std::size_t>(bytes));
  }
  if ((event.what & EPOLLOUT) != 0)
    table.writable(slot);
}

void stream_sockets::close_all(const stream_table& table) {
  for (stream_slot slot = 0; slot < table.slots(); ++slot)
    if (const auto fd = table.descriptor(slot); fd >= 0)
      close(fd);
}

/// Closes what a table holds as a bare number: a table knows no sockets, and its tests give it
/// numbers that are none.
void stream_sockets::close(int fd) {
  const owned_fd closing{fd};
  ::shutdown(fd, SHUT_WR);
}

ssize_t stream_sockets::write(int fd, const iovec* parts, int count) {
  if (count == 1)
    return judge(send_now(fd, parts->iov_base, parts->iov_len));
  return judge(send_now(fd, {parts, static_cast<std::size_t>(count)}));
}

void stream_sockets::write_each(std::span<socket_send> sends, pauses how) {
  if (how == pauses::none)
    ring_.send(sends);
  else
    bursts_.each(
      sends, [this](std::span<socket_send> some) { ring_.send(some); }, hooks_.yield);
  for (auto& send : sends)
    if (send.result < 0)
      send.result = judge(send.result);
}

void stream_sockets::watch_writable(int fd, stream_slot slot, bool on) {
  sockets_.watch(fd, {kind_, slot}, on);
}

void stream_sockets::ended(const ended_stream& stream) {
  // Where the connection came back from the API it may still be open there, for a moment in which
  // its end would be told of whoever gets the slot next.
  sockets_.remove(stream.fd);
  close(stream.fd);
  hooks_.ended(stream);
}

/// The result of a send, or its negative error number, as a table reads it.
ssize_t stream_sockets::judge(ssize_t result) {
  if (result >= 0)
    return result;
  const auto error = static_cast<int>(-result);
  // No memory now is no reason to give the stream up.
  if (error == EAGAIN || error == ENOBUFS || error == ENOMEM)
    return 0;
  if (is_out_of_reach(error))
    unreachable_.Increment();
  return -1;
}

} // namespace herald
