#include "tests/support/sse_client.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace herald::testing {

sse_client::sse_client(
  std::uint16_t port, std::string target, std::string headers, std::string address)
  : address_(std::move(address)),
    port_(port),
    target_(std::move(target)),
    headers_(std::move(headers)) {
  connect({});
}

sse_client::sse_client(sse_client&& other) noexcept
  : address_(std::move(other.address_)),
    port_(other.port_),
    target_(std::move(other.target_)),
    headers_(std::move(other.headers_)),
    descriptor_(std::exchange(other.descriptor_, -1)),
    ended_(other.ended_),
    connecting_(std::move(other.connecting_)),
    head_complete_(other.head_complete_),
    head_(std::move(other.head_)),
    status_(other.status_),
    body_(std::move(other.body_)),
    chunked_(std::move(other.chunked_)),
    parser_(std::move(other.parser_)),
    taken_(other.taken_) {}

sse_client::~sse_client() {
  close();
}

void sse_client::connect(const std::string& more_headers, int socket_flags) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | socket_flags, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port_);
  ::inet_pton(AF_INET, address_.c_str(), &to.sin_addr);
  connecting_ = "GET " + target_ + " HTTP/1.1\r\nHost: " + address_ + "\r\n"
                + "Accept: text/event-stream\r\n" + headers_ + more_headers + "\r\n";
  const auto connected =
    ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  ended_ = !connected && errno != EINPROGRESS;
  if (connected)
    ask();
}

/// Sends the request, which an empty socket takes whole; where there is no connection that fails.
void sse_client::ask() {
  const auto request = std::exchange(connecting_, {});
  ended_ = ::send(descriptor_, request.data(), request.size(), MSG_NOSIGNAL)
           != static_cast<ssize_t>(request.size());
}

void sse_client::close() {
  if (descriptor_ >= 0)
    ::close(std::exchange(descriptor_, -1));
  ended_ = true;
}

void sse_client::begin_reconnect(std::uint16_t port) {
  reconnect(port, SOCK_NONBLOCK);
}

void sse_client::begin_anew(std::uint16_t port, std::string target) {
  target_ = std::move(target);
  parser_ = {};
  taken_ = 0;
  begin_reconnect(port);
}

void sse_client::reconnect(std::uint16_t port, int socket_flags) {
  close();
  port_ = port;
  head_complete_ = false;
  head_.clear();
  status_ = 0;
  body_.clear();
  chunked_.reset();
  parser_.restart();
  connect(
    last_event_id().empty() ? "" : "Last-Event-ID: " + last_event_id() + "\r\n", socket_flags);
}

void sse_client::read_some() {
  if (!connecting_.empty())
    return ask();
  // All of it: as long as half of it stays, the kernel tells the sender of no room, and who has
  // sent ahead asks for it 5 times a second. But not for ever, others wait, too.
  constexpr int most_parts = 16;
  std::array<char, 65536> part; // NOLINT: written by recv
  for (int parts = 0; parts < most_parts && !ended_; ++parts) {
    const auto got = ::recv(descriptor_, part.data(), part.size(), MSG_DONTWAIT);
    if (got > 0)
      take({part.data(), static_cast<std::size_t>(got)});
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
      ended_ = true;
    if (got < static_cast<ssize_t>(part.size()))
      return;
  }
}

void sse_client::take(std::string_view bytes) {
  if (head_complete_)
    return take_content(bytes);
  head_ += bytes;
  const auto end = head_.find("\r\n\r\n");
  if (end == std::string::npos)
    return;
  const auto content = head_.substr(end + 4);
  head_.erase(end + 2);
  bool in_name = true;
  for (auto& c : head_) {
    if (c == ':' || c == '\n')
      in_name = c == '\n';
    else if (in_name)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  head_complete_ = true;
  status_ = std::atoi(head_.c_str() + std::string_view{"http/1.1 "}.size());
  if (header("transfer-encoding") == "chunked")
    chunked_.emplace(std::numeric_limits<std::size_t>::max());
  take_content(content);
}

void sse_client::take_content(std::string_view bytes) {
  std::string plain;
  if (chunked_) {
    chunked_->feed(bytes);
    plain = std::exchange(chunked_->body(), {});
    ended_ = chunked_->now() != chunked_body::state::more;
    bytes = plain;
  }
  if (status_ != 200) {
    body_ += bytes;
    const auto length = header("content-length");
    ended_ = ended_ || (!length.empty() && body_.size() >= std::stoul(length));
  } else {
    parser_.feed(bytes);
  }
}

std::string sse_client::header(std::string_view name) const {
  const auto start = "\r\n" + std::string{name} + ": ";
  const auto at = head_.find(start);
  if (at == std::string::npos)
    return {};
  const auto value = at + start.size();
  return head_.substr(value, head_.find("\r\n", value) - value);
}

std::vector<sse_event> sse_client::take_events() {
  taken_ = 0;
  parser_.forget_comments();
  return parser_.take_events();
}

bool sse_client::open(std::chrono::milliseconds limit) {
  const auto answered = [this] {
    return head_complete_ || ended_;
  };
  return read_until({this, 1}, answered, limit) && status_ == 200;
}

std::optional<sse_event> sse_client::next(std::chrono::milliseconds limit) {
  const auto there = [this] {
    return taken_ < events().size() || ended_;
  };
  if (!read_until({this, 1}, there, limit) || taken_ == events().size())
    return std::nullopt;
  return events()[taken_++];
}

std::optional<sse_event> sse_client::next(std::string_view name, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  auto left = limit;
  while (auto event = next(std::max(left, std::chrono::milliseconds{0}))) {
    if (event->name == name)
      return event;
    left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  }
  return std::nullopt;
}

bool sse_client::wait_for_cursor(std::chrono::milliseconds limit) {
  return read_until(
           {this, 1}, [this] { return ended_ || !last_event_id().empty(); }, limit)
         && !last_event_id().empty();
}

bool sse_client::wait_for_comment(std::string_view text, std::chrono::milliseconds limit) {
  const auto there = [&] {
    return std::find(comments().begin(), comments().end(), text) != comments().end();
  };
  return read_until(
           {this, 1}, [&] { return ended_ || there(); }, limit)
         && there();
}

bool sse_client::wait_for_end(std::chrono::milliseconds limit) {
  return read_until(
    {this, 1}, [this] { return ended_; }, limit);
}

std::string stream_target(std::string_view request_id) {
  return "/api/sse/stream?request_id=" + std::string{request_id};
}

std::vector<sse_client>
open_streams(std::uint16_t port, std::size_t count, const std::string& prefix) {
  std::vector<sse_client> streams;
  streams.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    streams.emplace_back(port, stream_target(prefix + std::to_string(i)));
  for (auto& stream : streams)
    stream.open();
  return streams;
}

void read_once(std::span<sse_client> clients, std::chrono::milliseconds limit) {
  std::vector<pollfd> sockets;
  sockets.reserve(clients.size());
  bool any = false;
  for (const auto& client : clients) {
    // A negative descriptor is passed over.
    sockets.push_back({client.descriptor(), client.awaits(), 0});
    any = any || client.descriptor() >= 0;
  }
  if (!any) {
    // All have ended; what is waited for may still come from elsewhere.
    std::this_thread::sleep_for(std::min(limit, std::chrono::milliseconds{5}));
    return;
  }
  // Not for ever: what is waited for need not come over these sockets.
  constexpr std::chrono::milliseconds longest{50};
  if (
    ::poll(sockets.data(), sockets.size(), static_cast<int>(std::min(limit, longest).count())) <= 0)
    return;
  for (std::size_t i = 0; i < sockets.size(); ++i)
    if (sockets[i].revents != 0)
      clients[i].read_some();
}

} // namespace herald::testing
