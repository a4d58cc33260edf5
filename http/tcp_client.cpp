#include "http/tcp_client.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace herald {

namespace {

using status = tcp_client::status;

/// Waits until the descriptor is ready for `events`.
status wait_for(int fd, short events, tcp_client::deadline until) {
  for (;;) {
    const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd watched{fd, events, 0};
    const auto ready =
      ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0)
      return status::done;
    if (ready == 0)
      return status::timed_out;
    if (errno != EINTR)
      return status::failed;
  }
}

status finish_connect(int fd, tcp_client::deadline until) {
  if (const auto waited = wait_for(fd, POLLOUT, until); waited != status::done)
    return waited;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
    return status::failed;
  return status::done;
}

status connect_to(const addrinfo& address, int& fd, tcp_client::deadline until) {
  fd = ::socket(
    address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
  if (fd < 0)
    return status::failed;
  auto result = status::done;
  if (::connect(fd, address.ai_addr, address.ai_addrlen) != 0)
    result = errno == EINPROGRESS ? finish_connect(fd, until) : status::failed;
  if (result != status::done) {
    ::close(std::exchange(fd, -1));
    return result;
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return result;
}

} // namespace

tcp_client::status tcp_client::open(const std::string& host, std::uint16_t port, deadline until) {
  close();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return status::failed;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{found, &::freeaddrinfo};
  auto result = status::failed;
  for (const auto* a = found; a != nullptr && result != status::done; a = a->ai_next)
    result = connect_to(*a, fd_, until);
  return result;
}

tcp_client::status tcp_client::send(std::string_view bytes, deadline until) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR)
      continue;
    if (errno != EAGAIN)
      return status::failed;
    if (const auto waited = wait_for(fd_, POLLOUT, until); waited != status::done)
      return waited;
  }
  return status::done;
}

tcp_client::status
tcp_client::receive(char* to, std::size_t room, std::size_t& received, deadline until) {
  received = 0;
  for (;;) {
    // Waits first: an answer is hardly ever there already.
    if (const auto waited = wait_for(fd_, POLLIN, until); waited != status::done)
      return waited;
    const auto got = ::recv(fd_, to, room, 0);
    if (got >= 0) {
      received = static_cast<std::size_t>(got);
      return status::done;
    }
    if (errno != EINTR && errno != EAGAIN)
      return status::failed;
  }
}

void tcp_client::close() noexcept {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

bool tcp_client::is_stale() const noexcept {
  char byte = 0;
  return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

} // namespace herald
