#include "tests/bench/swarm/stub_gateway.hpp"

#include <array>
#include <cerrno>
#include <charconv>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "http/listeners.hpp"
#include "tests/bench/swarm/http_head.hpp"
#include "tests/bench/swarm/publisher.hpp"

namespace herald::bench {

namespace {

constexpr std::size_t callback_connections = 8;
constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                    "Content-Length: 15\r\n\r\n{\"status\":\"ok\"}";

/// The digits behind `key`; 0 if there are none.
std::uint64_t number_behind(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  std::uint64_t number = 0;
  if (at != text.npos)
    std::from_chars(text.data() + at + key.size(), text.data() + text.size(), number);
  return number;
}

} // namespace

stub_gateway::stub_gateway(const gateway_settings& settings, std::size_t streams, progress& run)
  : settings_(settings),
    run_(run),
    listener_(listen_on("127.0.0.1", settings.port, 1).descriptors.front()),
    streams_(streams),
    counter_(run) {
  sockets_.add(listener_.get(), EPOLLIN, nullptr);
}

stub_gateway::~stub_gateway() {
  stub_gateway::finish();
}

void stub_gateway::open() {
  opened_ = now();
  thread_ = std::thread{[this] {
    run();
  }};
  if (settings_.callback_port != 0)
    tell_of_streams();
  run_.live = streams_.size();
}

void stub_gateway::tell_of_streams() {
  publish_settings callbacks;
  callbacks.mode = pacing::flat;
  callbacks.port = settings_.callback_port;
  callbacks.target = settings_.callback_target;
  callbacks.headers = {"Content-Type: application/json"};
  callbacks.bodies = {
    R"({"action":"connect","token":"b%S","request":)"
    R"({"url":"/api/sse/stream?request_id=page-%S","headers":{"host":"bench"}}})"};
  callbacks.connections = callback_connections;
  callbacks.events = streams_.size();
  callbacks.warmup_s = 0;
  progress own;
  publisher backend{callbacks, own, [] {
                    }};
  backend.publish_all();
  told_ = backend.tally().answered;
}

void stub_gateway::finish() {
  over_ = true;
  if (!thread_.joinable())
    return;
  thread_.join();
  for (auto& stream : streams_)
    counter_.close_owed(stream, opened_);
}

void stub_gateway::tell(run_result& result) const {
  result.clients.opened = streams_.size();
  result.clients.open_at_end = streams_.size();
  if (settings_.callback_port != 0)
    result.clients.failed = streams_.size() - told_;
  result.clients.threads = 1;
  result.clients.bytes = bytes_;
  result.clients.malformed = malformed_;
  result.deliveries.merge(counter_.tally());
}

void stub_gateway::run() {
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
    counter_.flush();
  }
}

void stub_gateway::accept() {
  auto c = std::make_unique<client>();
  c->socket =
    descriptor{::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!c->socket)
    return;
  const int on = 1;
  ::setsockopt(c->socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockets_.add(c->socket.get(), EPOLLIN, c.get());
  clients_.emplace(c.get(), std::move(c));
}

void stub_gateway::readable(client& c) {
  std::array<char, 65536> buffer;
  const auto got = ::recv(c.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0) {
    clients_.erase(&c);
    return;
  }
  const auto received = now();
  bytes_ += static_cast<std::uint64_t>(got);
  c.in.append(buffer.data(), static_cast<std::size_t>(got));
  while (take_request(c, received)) {
  }
}

/// Takes one request off the front, and answers it; false if it is not all there.
bool stub_gateway::take_request(client& c, nanos received) {
  const auto head = find_http_head(c.in);
  if (!head)
    return false;
  const auto size = head->bytes + head->content_length.value_or(0);
  if (c.in.size() < size)
    return false;
  sent(std::string_view{c.in}.substr(head->bytes, size - head->bytes), received);
  c.in.erase(0, size);
  ::send(c.socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return true;
}

void stub_gateway::sent(std::string_view body, nanos received) {
  const auto stream = number_behind(body, R"("token":"b)");
  if (stream == 0 || stream > streams_.size()) {
    ++malformed_;
    return;
  }
  seen_event event;
  event.sent_at = number_behind(body, R"(\"t\":)");
  event.number = number_behind(body, R"(\"seq\":)");
  event.has_data = true;
  // Without a number it is a probe, or herald's own event.
  counter_.count(streams_[stream - 1], opened_, event, received);
}

} // namespace herald::bench
