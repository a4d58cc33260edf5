#include "tests/support/raw_client.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/eventually.hpp"

#include "tests/support/loopback.hpp"

namespace herald::testing {

std::string raw_client::reply::header(std::string_view name) const {
  const auto start = "\r\n" + std::string{name} + ": ";
  const auto at = head.find(start);
  if (at == std::string::npos)
    return {};
  const auto value = at + start.size();
  return raw_head.substr(value, raw_head.find("\r\n", value) - value);
}

raw_client::raw_client(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
  auto address = loopback(port);
  if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(descriptor_);
    descriptor_ = -1;
  }
}

raw_client::~raw_client() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

raw_client::raw_client(raw_client&& other) noexcept
  : descriptor_(std::exchange(other.descriptor_, -1)),
    buffer_(std::move(other.buffer_)),
    ended_(other.ended_) {}

bool raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd writable{descriptor_, POLLOUT, 0};
    if (::poll(&writable, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) <= 0)
      return false;
    const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool raw_client::fill(std::chrono::milliseconds limit) {
  pollfd readable{descriptor_, POLLIN, 0};
  if (ended_ || ::poll(&readable, 1, static_cast<int>(limit.count())) <= 0)
    return false;
  std::array<char, 65536> part{};
  const auto got = ::recv(descriptor_, part.data(), part.size(), 0);
  ended_ = got <= 0;
  if (got > 0)
    buffer_.append(part.data(), static_cast<std::size_t>(got));
  return got > 0;
}

raw_client::reply raw_client::read_reply(bool head_only) {
  reply result;
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!fill(patience))
      return result;
  result.head = buffer_.substr(0, end + 2);
  result.raw_head = result.head;
  buffer_.erase(0, end + 4);
  std::transform(result.head.begin(), result.head.end(), result.head.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  std::size_t length = 0;
  constexpr std::string_view length_name = "\r\ncontent-length: ";
  if (const auto at = result.head.find(length_name); at != std::string::npos && !head_only)
    length = std::strtoul(result.head.c_str() + at + length_name.size(), nullptr, 10);
  while (buffer_.size() < length)
    if (!fill(patience))
      return result;
  result.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  result.status = std::atoi(result.head.c_str() + std::string_view{"http/1.1 "}.size());
  return result;
}

bool raw_client::wait_for(std::string_view text) {
  while (buffer_.find(text) == std::string::npos)
    if (!fill(patience))
      return false;
  return true;
}

bool raw_client::is_closed() {
  while (fill(patience)) {
  }
  return ended_ && buffer_.empty();
}

bool raw_client::is_closed_now() {
  while (fill(std::chrono::milliseconds{0})) {
  }
  return ended_;
}

} // namespace herald::testing
