#include "http/sockets/send_ring.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <liburing.h>
#include <sys/socket.h>

namespace herald {

namespace {

constexpr int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;

/// No result of a send.
constexpr ssize_t unanswered = std::numeric_limits<ssize_t>::min();

/// Makes a send, again where a signal came between: what it took, or a negative error number.
template <class Send>
ssize_t until_done(Send send) noexcept {
  ssize_t taken = 0;
  do
    taken = send();
  while (taken < 0 && errno == EINTR);
  return taken < 0 ? -errno : taken;
}

} // namespace

ssize_t send_now(int fd, const void* bytes, std::size_t count) noexcept {
  return until_done([&] { return ::send(fd, bytes, count, send_flags); });
}

ssize_t send_now(int fd, std::span<const iovec> parts) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data()); // NOLINT: sendmsg only reads it
  message.msg_iovlen = parts.size();
  return until_done([&] { return ::sendmsg(fd, &message, send_flags); });
}

struct send_ring::kernel_ring {
  explicit kernel_ring(unsigned room, int& error) {
    // A send that fails must not hold up those behind it; nobody else submits.
    io_uring_params how{};
    how.flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN;
    error = -::io_uring_queue_init_params(room, &ring, &how);
    made = error == 0;
  }
  ~kernel_ring() {
    if (made)
      ::io_uring_queue_exit(&ring);
  }
  kernel_ring(const kernel_ring&) = delete;
  kernel_ring& operator=(const kernel_ring&) = delete;

  io_uring ring{};
  bool made = false;
};

send_ring::send_ring(unsigned room)
  : room_(room),
    ring_(std::make_unique<kernel_ring>(room, error_)) {
  if (!ring_->made)
    ring_.reset();
}

send_ring::~send_ring() = default;

void send_ring::send(std::span<socket_send> sends) {
  while (ring_ && !sends.empty()) {
    const auto some = sends.first(std::min<std::size_t>(sends.size(), room_));
    submit(some);
    sends = sends.subspan(some.size());
  }
  for (auto& one : sends)
    one.result = send_now(one.fd, one.bytes, one.count);
}

void send_ring::submit(std::span<socket_send> sends) {
  auto* const ring = &ring_->ring;
  for (std::size_t i = 0; i < sends.size(); ++i) {
    auto& one = sends[i];
    one.result = unanswered;
    // Never null: the queue is empty between two calls.
    auto* const entry = ::io_uring_get_sqe(ring);
    ::io_uring_prep_send(entry, one.fd, one.bytes, one.count, send_flags);
    ::io_uring_sqe_set_data64(entry, i);
  }
  for (auto open = static_cast<unsigned>(sends.size()); open != 0;) {
    const auto submitted = ::io_uring_submit_and_wait(ring, open);
    io_uring_cqe* done = nullptr;
    while (::io_uring_peek_cqe(ring, &done) == 0) {
      sends[::io_uring_cqe_get_data64(done)].result = done->res;
      ::io_uring_cqe_seen(ring, done);
      --open;
    }
    if (submitted < 0 && submitted != -EINTR) {
      error_ = -submitted;
      ring_.reset();
      break;
    }
  }
  // Sends that do not wait are made while they are submitted: what has no answer was not made.
  for (auto& one : sends)
    if (one.result == unanswered || one.result == -EINTR)
      one.result = send_now(one.fd, one.bytes, one.count);
}

} // namespace herald
