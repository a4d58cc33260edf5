#include "tests/bench/swarm/request_server.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "http/sockets/listeners.hpp"
#include "tests/bench/swarm/http_head.hpp"

namespace herald::bench {

request_server::request_server(
  std::uint16_t port, std::string answer, listener on_request, pause on_pause)
  : answer_(
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    + std::to_string(answer.size()) + "\r\n\r\n" + answer),
    on_request_(std::move(on_request)),
    on_pause_(std::move(on_pause)),
    door_(listen_on("127.0.0.1", port, 1).sets.front().front().release()) {
  sockets_.add(door_.get(), EPOLLIN, nullptr);
}

request_server::~request_server() {
  stop();
}

void request_server::start() {
  thread_ = std::thread{[this] {
    run();
  }};
}

void request_server::stop() {
  over_ = true;
  if (thread_.joinable())
    thread_.join();
}

void request_server::run() {
  std::array<epoll_event, 256> events{};
  while (!over_) {
    const auto count =
      ::epoll_wait(sockets_.get(), events.data(), static_cast<int>(events.size()), 50);
    for (int i = 0; i < count; ++i) {
      auto* const c = static_cast<client*>(events.at(static_cast<std::size_t>(i)).data.ptr);
      if (c == nullptr)
        accept();
      else
        readable(*c);
    }
    on_pause_();
  }
}

void request_server::accept() {
  auto c = std::make_unique<client>();
  c->socket = descriptor{::accept4(door_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!c->socket)
    return;
  const int on = 1;
  ::setsockopt(c->socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockets_.add(c->socket.get(), EPOLLIN, c.get());
  clients_.emplace(c.get(), std::move(c));
}

void request_server::readable(client& c) {
  std::array<char, 65536> buffer;
  const auto got = ::recv(c.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0) {
    clients_.erase(&c);
    return;
  }
  const auto received = now();
  c.in.append(buffer.data(), static_cast<std::size_t>(got));
  while (take_request(c, received)) {
  }
}

/// Takes one request off the front, and answers it; false if it is not all there.
bool request_server::take_request(client& c, nanos received) {
  const auto head = find_http_head(c.in);
  if (!head)
    return false;
  const auto size = head->bytes + head->content_length.value_or(0);
  if (c.in.size() < size)
    return false;
  on_request_(std::string_view{c.in}.substr(head->bytes, size - head->bytes), received);
  c.in.erase(0, size);
  ::send(c.socket.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return true;
}

} // namespace herald::bench
