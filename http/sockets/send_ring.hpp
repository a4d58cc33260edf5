#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <sys/types.h>
#include <sys/uio.h>

namespace herald {

/// A send among many.
struct socket_send {
  int fd = -1;
  const void* bytes = nullptr;
  std::size_t count = 0;
  /// Set by the one who sends: the bytes that the kernel took, or a negative error number, -EAGAIN
  /// where it takes none now.
  ssize_t result = 0;
};

/// Sends to many sockets in one call of the kernel, by io_uring, which costs less than a call for
/// each. Nothing waits: a send that cannot be made at once fails.
///
/// For the thread that made it, whose table of descriptors its own is in.
class send_ring {
public:
  /// Room for so many sends in a call. `available` is false where the kernel has no io_uring or
  /// the container forbids it.
  explicit send_ring(unsigned room);
  ~send_ring();
  send_ring(const send_ring&) = delete;
  send_ring& operator=(const send_ring&) = delete;

  [[nodiscard]] bool available() const noexcept { return ring_ != nullptr; }
  /// Why it is not available: an error number.
  [[nodiscard]] int error() const noexcept { return error_; }

  /// Makes all sends, in their order, and sets their results. One call each where the ring is not
  /// available, or ceases to be.
  void send(std::span<socket_send> sends);

private:
  struct kernel_ring;

  void submit(std::span<socket_send> sends);

  unsigned room_;
  int error_ = 0;
  std::unique_ptr<kernel_ring> ring_;
};

/// A single send, as the ring makes it: the bytes that the kernel took, or a negative error number.
[[nodiscard]] ssize_t send_now(int fd, const void* bytes, std::size_t count) noexcept;
/// `send_now` for bytes that lie in several places.
[[nodiscard]] ssize_t send_now(int fd, std::span<const iovec> parts) noexcept;

} // namespace herald
