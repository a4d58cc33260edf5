#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include "tests/bench/swarm/descriptor.hpp"

namespace herald::bench {

/// The error that errno tells of, with what failed.
[[nodiscard]] std::system_error system_failure(const std::string& what);

/// Begins a TCP connection to 127.0.0.1 without waiting for it. `source` counts loopback addresses
/// from 127.0.0.2 on: each has ports of its own, so that one server can have more than 28,000
/// clients. 0 for `receive_buffer` leaves it to the kernel.
[[nodiscard]] descriptor
begin_connect(std::uint16_t port, std::uint32_t source, int receive_buffer);

/// Connects to 127.0.0.1; afterwards reads and writes do not wait.
[[nodiscard]] descriptor connect_to(std::uint16_t port);

/// A level-triggered epoll set.
class epoll_set {
public:
  epoll_set();
  void add(int fd, std::uint32_t events, void* data) const;
  void change(int fd, std::uint32_t events, void* data) const;
  void remove(int fd) const;
  [[nodiscard]] int get() const noexcept { return set_.get(); }

private:
  descriptor set_;
};

} // namespace herald::bench
