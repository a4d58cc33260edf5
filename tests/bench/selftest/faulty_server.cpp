#include "tests/bench/selftest/faulty_server.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "http/sockets/listeners.hpp"
#include "tests/bench/swarm/http_head.hpp"

namespace herald::bench {

namespace {

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// In two chunks, where it can be cut.
std::string in_chunks(const std::string& bytes) {
  const auto half = bytes.size() / 2;
  std::string out;
  for (const auto& piece : {bytes.substr(0, half), bytes.substr(half)}) {
    if (piece.empty())
      continue;
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    out += size.data() + piece + "\r\n";
  }
  return out;
}

event_number number_of(const std::string& body) {
  const std::string_view key = "\"seq\":";
  const auto at = body.find(key);
  return at == body.npos ? 0 : std::stoull(body.substr(at + key.size()));
}

} // namespace

faulty_server::faulty_server(behaviour how) : how_(std::move(how)) {
  auto open = listen_on("127.0.0.1", 0, 1);
  listener_ = descriptor{open.sets.front().front().release()};
  port_ = open.port;
  thread_ = std::thread{[this] {
    run();
  }};
}

faulty_server::~faulty_server() {
  over_ = true;
  thread_.join();
}

void faulty_server::run() {
  while (!over_) {
    std::vector<pollfd> polled{{listener_.get(), POLLIN, 0}};
    for (const auto& [fd, c] : clients_)
      polled.push_back({fd, POLLIN, 0});
    ::poll(polled.data(), polled.size(), 10);
    for (const auto& p : polled) {
      if (p.revents == 0)
        continue;
      if (p.fd != listener_.get()) {
        if (const auto found = clients_.find(p.fd); found != clients_.end())
          if (!readable(found->second))
            clients_.erase(found);
        continue;
      }
      descriptor socket{::accept4(p.fd, nullptr, nullptr, SOCK_CLOEXEC)};
      if (!socket)
        continue;
      const int on = 1;
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const int fd = socket.get();
      clients_[fd].socket = std::move(socket);
    }
  }
}

/// False if the client is to be dropped.
bool faulty_server::readable(client& c) {
  std::array<char, 16384> buffer{};
  const auto got = ::recv(c.socket.get(), buffer.data(), buffer.size(), 0);
  if (got <= 0)
    return false;
  c.in.append(buffer.data(), static_cast<std::size_t>(got));
  while (const auto head = find_http_head(c.in)) {
    const auto size = head->bytes + head->content_length.value_or(0);
    if (c.in.size() < size)
      break;
    const auto whole = c.in.substr(0, size);
    c.in.erase(0, size);
    if (!request(c, whole.substr(0, head->bytes), whole.substr(head->bytes)))
      return false;
  }
  return true;
}

bool faulty_server::request(client& c, std::string_view head, const std::string& body) {
  if (!head.starts_with("GET /s/")) {
    how_.before(number_of(body));
    send_all(c.socket.get(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    publish(body);
    return true;
  }
  c.stream = static_cast<unsigned>(std::stoul(std::string{head.substr(7, 10)}));
  if (how_.refuses(c.stream)) {
    send_all(c.socket.get(), "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    return false;
  }
  c.is_stream = true;
  send_all(
    c.socket.get(), std::string{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"}
                      + (how_.chunked(c.stream) ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n"));
  return true;
}

void faulty_server::publish(const std::string& body) {
  const auto number = number_of(body);
  for (auto it = clients_.begin(); it != clients_.end();) {
    const auto& c = it->second;
    const auto next = std::next(it);
    if (c.is_stream) {
      write(c, how_.faults({c.stream, number, "data: " + body + "\n\n"}));
      if (how_.ends(c.stream, number))
        clients_.erase(it);
    }
    it = next;
  }
}

void faulty_server::write(const client& c, std::string bytes) const {
  if (how_.chunked(c.stream))
    bytes = in_chunks(bytes);
  const auto piece = how_.pieces(c.stream);
  for (std::size_t at = 0; at < bytes.size(); at += piece == 0 ? bytes.size() : piece)
    send_all(c.socket.get(), std::string_view{bytes}.substr(at, piece == 0 ? bytes.npos : piece));
}

} // namespace herald::bench
