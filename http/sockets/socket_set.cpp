#include "http/sockets/socket_set.hpp"

#include <cerrno>
#include <system_error>

#include <sys/epoll.h>

namespace herald {

namespace {

constexpr std::uint32_t input = EPOLLIN | EPOLLRDHUP;

epoll_event interest_in(socket_tag tag, std::uint32_t events) {
  epoll_event interest{};
  interest.events = events;
  interest.data.u64 = (std::uint64_t{tag.kind} << 32U) | tag.index;
  return interest;
}

} // namespace

socket_set::socket_set() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (fd_.get() < 0)
    throw std::system_error{errno, std::generic_category(), "epoll_create1"};
}

bool socket_set::add(int fd, socket_tag tag) const {
  auto interest = interest_in(tag, input);
  return ::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &interest) == 0;
}

void socket_set::watch(int fd, socket_tag tag, bool writable) const {
  auto interest = interest_in(tag, writable ? input | EPOLLOUT : input);
  ::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &interest);
}

void socket_set::watch_room(int fd, socket_tag tag) const {
  auto interest = interest_in(tag, EPOLLOUT);
  ::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &interest);
}

void socket_set::remove(int fd) const {
  ::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::span<const socket_event> socket_set::take() {
  std::array<epoll_event, max_events> ready; // NOLINT: written by epoll_wait
  const auto found = ::epoll_wait(fd_.get(), ready.data(), static_cast<int>(ready.size()), 0);
  const auto count = found > 0 ? static_cast<std::size_t>(found) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto tag = ready.at(i).data.u64;
    events_.at(i) = {
      {static_cast<std::uint32_t>(tag >> 32U), static_cast<std::uint32_t>(tag)},
      ready.at(i).events};
  }
  return {events_.data(), count};
}

} // namespace herald
