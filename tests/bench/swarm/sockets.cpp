#include "tests/bench/swarm/sockets.hpp"

#include <cerrno>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace herald::bench {

namespace {

constexpr std::uint32_t first_source = 0x7f000002;

sockaddr_in loopback(std::uint32_t address, std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(address);
  return to;
}

void set_option(int fd, int level, int name, int value) {
  if (::setsockopt(fd, level, name, &value, sizeof value) < 0)
    throw system_failure("setsockopt");
}

const sockaddr* as_address(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

} // namespace

std::system_error system_failure(const std::string& what) {
  return {errno, std::generic_category(), what};
}

descriptor begin_connect(std::uint16_t port, std::uint32_t source, int receive_buffer) {
  descriptor fd{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd)
    throw system_failure("socket");
  if (receive_buffer > 0)
    set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
  // The port is chosen by connect(), where only the pair of addresses must be unique.
  set_option(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  const auto from = loopback(first_source + source, 0);
  if (::bind(fd.get(), as_address(from), sizeof from) < 0)
    throw system_failure("bind");
  const auto to = loopback(INADDR_LOOPBACK, port);
  if (::connect(fd.get(), as_address(to), sizeof to) < 0 && errno != EINPROGRESS)
    throw system_failure("connect");
  return fd;
}

descriptor connect_to(std::uint16_t port) {
  descriptor fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd)
    throw system_failure("socket");
  const auto to = loopback(INADDR_LOOPBACK, port);
  if (::connect(fd.get(), as_address(to), sizeof to) < 0)
    throw system_failure("connect to port " + std::to_string(port));
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) < 0)
    throw system_failure("fcntl");
  return fd;
}

epoll_set::epoll_set() : set_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!set_)
    throw system_failure("epoll_create1");
}

void epoll_set::add(int fd, std::uint32_t events, void* data) const {
  epoll_event event{events, {.ptr = data}};
  if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &event) < 0)
    throw system_failure("epoll_ctl");
}

void epoll_set::change(int fd, std::uint32_t events, void* data) const {
  epoll_event event{events, {.ptr = data}};
  if (::epoll_ctl(set_.get(), EPOLL_CTL_MOD, fd, &event) < 0)
    throw system_failure("epoll_ctl");
}

void epoll_set::remove(int fd) const {
  ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

} // namespace herald::bench
