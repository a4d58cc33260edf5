#include "http/server/api_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace herald {

namespace {

constexpr std::size_t read_size = std::size_t{16} * 1024;

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

} // namespace

int milliseconds_until(api_socket::clock::time_point deadline) {
  const auto left =
    std::chrono::ceil<std::chrono::milliseconds>(deadline - api_socket::clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

api_socket::api_socket(int descriptor, std::string read)
  : descriptor_(descriptor),
    buffer_(std::move(read)) {
  // httplib accepts without it; child processes must not inherit connections.
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  const int yes = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

api_socket::event api_socket::wait(const api_wakeups& wakeups, clock::time_point deadline) const {
  std::array<pollfd, 3> sources = {
    pollfd{descriptor_.get(), POLLIN, 0}, pollfd{wakeups.stopping.get(), POLLIN, 0},
    pollfd{wakeups.make_room.get(), POLLIN, 0}};
  while (true) {
    const int ready = ::poll(sources.data(), sources.size(), milliseconds_until(deadline));
    if (ready == 0)
      return event::timed_out;
    if (ready < 0)
      continue;
    if (sources[0].revents != 0)
      return event::readable;
    if (sources[1].revents != 0)
      return event::stopping;
    // Each token makes one thread free.
    if (wakeups.make_room.lower())
      return event::make_room;
  }
}

api_socket::input api_socket::fill() {
  if (consumed_ > 0) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
  }
  const auto before = buffer_.size();
  buffer_.resize(before + read_size);
  const auto got = ::recv(descriptor_.get(), buffer_.data() + before, read_size, MSG_DONTWAIT);
  const bool again = got < 0 && would_block();
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got > 0)
    return input::bytes;
  return again ? input::nothing : input::ended;
}

void api_socket::consume(std::size_t bytes) {
  consumed_ += bytes;
  if (consumed_ == buffer_.size()) {
    buffer_.clear();
    consumed_ = 0;
  }
}

void api_socket::put(std::string bytes) {
  if (has_output()) {
    output_ += bytes;
    return;
  }
  output_ = std::move(bytes);
  written_ = 0;
}

void api_socket::say(std::string_view last_words) const noexcept {
  ::send(descriptor_.get(), last_words.data(), last_words.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

api_socket::output api_socket::flush() {
  while (has_output()) {
    const auto sent = ::send(
      descriptor_.get(), output_.data() + written_, output_.size() - written_,
      MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0)
      written_ += static_cast<std::size_t>(sent);
    else if (sent < 0 && errno == EINTR)
      continue;
    else
      return sent < 0 && would_block() ? output::blocked : output::failed;
  }
  output_.clear();
  written_ = 0;
  return output::written;
}

void api_socket::end_output() const {
  ::shutdown(descriptor_.get(), SHUT_WR);
}

} // namespace herald
