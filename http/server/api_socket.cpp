#include "http/server/api_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace herald {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t read_size = std::size_t{16} * 1024;
/// A peer has so much time left when the server stops.
constexpr auto stop_grace = 1s;
/// How long, and how much, a refused peer may still send.
constexpr auto finish_time = 2s;
constexpr std::size_t finish_bytes = std::size_t{64} * 1024 * 1024;

int milliseconds_until(api_socket::clock::time_point deadline) {
  const auto left =
    std::chrono::ceil<std::chrono::milliseconds>(deadline - api_socket::clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

} // namespace

api_socket::api_socket(int descriptor, const api_wakeups& wakeups)
  : descriptor_(descriptor),
    wakeups_(wakeups) {
  // httplib accepts without it; child processes must not inherit connections.
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  const int yes = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

void api_socket::consume(std::size_t bytes) {
  consumed_ += bytes;
  if (consumed_ == buffer_.size()) {
    buffer_.clear();
    consumed_ = 0;
  }
}

api_socket::event api_socket::wait_for_request(clock::time_point deadline) {
  if (!buffered().empty())
    return event::readable;
  std::array<pollfd, 3> sources = {
    pollfd{descriptor_.get(), POLLIN, 0}, pollfd{wakeups_.stopping.get(), POLLIN, 0},
    pollfd{wakeups_.make_room.get(), POLLIN, 0}};
  while (true) {
    const int ready = ::poll(sources.data(), sources.size(), milliseconds_until(deadline));
    if (ready == 0)
      return event::timed_out;
    if (ready < 0 && errno != EINTR)
      return event::closed;
    if (ready < 0)
      continue;
    if (sources[0].revents != 0)
      return event::readable;
    if (sources[1].revents != 0)
      return event::stopping;
    // Each token makes one idle connection go.
    if (wakeups_.make_room.lower())
      return event::make_room;
  }
}

api_socket::event api_socket::fill(clock::time_point deadline) {
  while (true) {
    const auto got = receive(read_size);
    if (got != event::timed_out)
      return got;
    if (const auto ready = wait(POLLIN, deadline); ready != event::readable)
      return ready;
  }
}

/// `timed_out` stands for "nothing there yet".
api_socket::event api_socket::receive(std::size_t limit) {
  if (consumed_ > 0) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
  }
  const auto before = buffer_.size();
  buffer_.resize(before + limit);
  const auto got = ::recv(descriptor_.get(), buffer_.data() + before, limit, MSG_DONTWAIT);
  const bool again = got < 0 && would_block();
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got > 0)
    return event::readable;
  return again ? event::timed_out : event::closed;
}

api_socket::event api_socket::wait(short events, clock::time_point& deadline) {
  while (true) {
    std::array<pollfd, 2> sources = {
      pollfd{descriptor_.get(), events, 0},
      pollfd{hurried_ ? -1 : wakeups_.stopping.get(), POLLIN, 0}};
    if (hurried_)
      deadline = std::min(deadline, clock::now() + stop_grace);
    const int ready = ::poll(sources.data(), sources.size(), milliseconds_until(deadline));
    if (ready == 0)
      return event::timed_out;
    if (ready < 0 && errno != EINTR)
      return event::closed;
    if (ready > 0 && sources[0].revents != 0)
      return event::readable;
    if (ready > 0)
      hurried_ = true;
  }
}

bool api_socket::write(std::string_view bytes, clock::time_point deadline) {
  while (!bytes.empty()) {
    const auto sent =
      ::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0)
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    else if ((sent < 0 && !would_block()) || wait(POLLOUT, deadline) != event::readable)
      return false;
  }
  return true;
}

void api_socket::finish() {
  ::shutdown(descriptor_.get(), SHUT_WR);
  const auto deadline = clock::now() + finish_time;
  std::size_t dropped = 0;
  while (dropped < finish_bytes && fill(deadline) == event::readable) {
    dropped += buffered().size();
    consume(buffered().size());
  }
}

} // namespace herald
