#include "tests/support/standing_proxy.hpp"

#include <cstddef>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/loopback.hpp"

namespace herald::testing {

namespace {

constexpr std::string_view come_back =
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
  "Access-Control-Allow-Origin: *\r\n\r\nretry: 50\n: no herald\n";

/// -1 where nobody listens.
int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto to = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0)
    return fd;
  ::close(fd);
  return -1;
}

/// As tests send little, a socket always takes it.
void send_all(int fd, std::string_view bytes) {
  (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

} // namespace

standing_proxy::standing_proxy(std::uint16_t to) : to_(to), thread_([this] { run(); }) {}

standing_proxy::~standing_proxy() {
  ended_ = true;
  thread_.join();
}

void standing_proxy::run() {
  while (!ended_) {
    std::vector<pollfd> sockets{{listener_.descriptor(), POLLIN, 0}};
    for (const auto& both : pairs_) {
      sockets.push_back({both.client, POLLIN, 0});
      sockets.push_back({both.server, POLLIN, 0});
    }
    if (::poll(sockets.data(), sockets.size(), 20) <= 0)
      continue;
    for (auto i = pairs_.size(); i-- > 0;) {
      auto& both = pairs_[i];
      const bool lives = (sockets[1 + 2 * i].revents == 0 || pass_on(both, true))
                         && (sockets[2 + 2 * i].revents == 0 || pass_on(both, false));
      if (lives)
        continue;
      ::close(both.client);
      ::close(both.server);
      pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (sockets[0].revents != 0)
      take_client();
  }
  for (const auto& both : pairs_) {
    ::close(both.client);
    ::close(both.server);
  }
}

void standing_proxy::take_client() {
  pair both;
  both.client = listener_.take();
  both.server = connect_to(to_);
  if (both.server >= 0) {
    pairs_.push_back(std::move(both));
    return;
  }
  tell_to_come_back(both);
  ::close(both.client);
}

/// False once one of them is gone.
bool standing_proxy::pass_on(pair& both, bool from_client) {
  char bytes[4096];
  const auto count = ::recv(from_client ? both.client : both.server, bytes, sizeof bytes, 0);
  if (count <= 0) {
    if (!from_client && !both.answered)
      tell_to_come_back(both);
    return false;
  }
  const std::string_view got{bytes, static_cast<std::size_t>(count)};
  if (from_client)
    both.request += got;
  else
    both.answered = true;
  send_all(from_client ? both.server : both.client, got);
  return true;
}

/// Once its request is there: an answer before would be lost with what nobody has read.
void standing_proxy::tell_to_come_back(const pair& both) {
  auto request = both.request;
  char bytes[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const auto count = ::recv(both.client, bytes, sizeof bytes, 0);
    if (count <= 0)
      return;
    request.append(bytes, static_cast<std::size_t>(count));
  }
  ++told_;
  send_all(both.client, come_back);
}

} // namespace herald::testing
