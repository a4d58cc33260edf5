#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "actors/system/owned_fd.hpp"

namespace herald {

/// Which socket of a set is meant, and of what kind it is.
struct socket_tag {
  std::uint32_t kind = 0;
  std::uint32_t index = 0;
};

struct socket_event {
  socket_tag tag;
  /// As epoll says it: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR.
  std::uint32_t what = 0;
};

/// An epoll set, level-triggered. A socket that is closed leaves it by itself.
class socket_set {
public:
  /// Throws `std::system_error` if there is no descriptor to be had.
  socket_set();

  /// Readable while there are events: a set can be in another set.
  [[nodiscard]] int descriptor() const noexcept { return fd_.get(); }

  /// Watches a socket for bytes and for its end; false if the kernel has no room.
  [[nodiscard]] bool add(int fd, socket_tag tag) const;
  /// Watches a descriptor that is in the set already, by another tag or also for room to write.
  void watch(int fd, socket_tag tag, bool writable) const;
  /// For room to write alone; not for bytes, nor for the end of what the peer says.
  void watch_room(int fd, socket_tag tag) const;
  void remove(int fd) const;

  /// Most events that are taken at once.
  static constexpr std::size_t max_events = 256;
  /// The events that there are, without waiting; valid until the next call.
  [[nodiscard]] std::span<const socket_event> take();

private:
  owned_fd fd_;
  std::array<socket_event, max_events> events_;
};

} // namespace herald
