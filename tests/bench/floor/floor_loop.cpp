#include "tests/bench/floor/floor_loop.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/fanout/framing.hpp"
#include "tests/bench/swarm/http_head.hpp"

namespace herald::bench {

namespace {

constexpr std::string_view stream_head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                         "Cache-Control: no-cache\r\n"
                                         "Transfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";

void send_to(int fd, std::string_view bytes) {
  ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void* as_data(int fd) {
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(fd));
}

} // namespace

floor_loop::floor_loop(int listener)
  : listener_(listener),
    wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  sockets_.add(listener_, EPOLLIN, as_data(listener_));
  sockets_.add(wake_.get(), EPOLLIN, as_data(wake_.get()));
}

void floor_loop::run() {
  std::array<epoll_event, 256> events{};
  for (;;) {
    const auto count =
      ::epoll_wait(sockets_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const auto& event = events.at(static_cast<std::size_t>(i));
      const auto fd = static_cast<int>(reinterpret_cast<std::intptr_t>(event.data.ptr));
      if (fd == listener_)
        accept_all();
      else if (fd == wake_.get())
        take_in();
      else
        readable(fd);
    }
  }
}

void floor_loop::accept_all() {
  for (int fd = 0; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockets_.add(fd, EPOLLIN, as_data(fd));
  }
}

void floor_loop::readable(int fd) {
  static thread_local std::array<char, std::size_t{1} << 20> buffer;
  const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    close(fd);
    return;
  }
  // The bench's own requests come in one piece.
  const std::string_view bytes{buffer.data(), static_cast<std::size_t>(got)};
  if (!bytes.starts_with("POST ")) {
    open_stream(fd);
  } else if (const auto head = find_http_head(bytes)) {
    publish(std::string{bytes.substr(head->bytes)});
    send_to(fd, accepted);
  }
}

void floor_loop::publish(std::string body) {
  std::string bytes;
  append_framed(bytes, framing::chunked, "data: " + std::move(body) + "\n\n");
  broadcast(bytes);
  if (others_.empty())
    return;
  const auto shared = std::make_shared<const std::string>(std::move(bytes));
  for (auto* const other : others_)
    other->give(shared);
}

void floor_loop::broadcast(const std::string& bytes) const {
  for (const int fd : streams_)
    send_to(fd, bytes);
}

void floor_loop::give(const frame& bytes) {
  {
    const std::lock_guard hold{mutex_};
    given_.push_back(bytes);
  }
  ::eventfd_write(wake_.get(), 1);
}

void floor_loop::take_in() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
  std::vector<frame> frames;
  {
    const std::lock_guard hold{mutex_};
    frames.swap(given_);
  }
  for (const auto& bytes : frames)
    broadcast(*bytes);
}

void floor_loop::open_stream(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= place_.size())
    place_.resize(index + 1);
  if (place_[index] != 0)
    return;
  send_to(fd, stream_head);
  streams_.push_back(fd);
  place_[index] = static_cast<std::uint32_t>(streams_.size());
}

void floor_loop::close(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (const auto place = index < place_.size() ? std::exchange(place_[index], 0) : 0; place != 0) {
    const int last = streams_.back();
    streams_.pop_back();
    if (last != fd) {
      streams_[place - 1] = last;
      place_[static_cast<std::size_t>(last)] = place;
    }
  }
  ::close(fd);
}

} // namespace herald::bench
