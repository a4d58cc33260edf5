#include "tests/chaos/faulty_gateway.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/free_port.hpp"

namespace herald::testing {

namespace {

constexpr std::chrono::milliseconds slowness{20};

bool send_all(int fd, const std::string& bytes) {
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

/// The body of the first request in `buffer`, which is taken off it; false if it is not whole.
bool take_request(std::string& buffer, std::string& body) {
  const auto end = buffer.find("\r\n\r\n");
  if (end == std::string::npos)
    return false;
  constexpr const char* name = "Content-Length: ";
  const auto at = buffer.find(name);
  const auto length =
    at < end ? std::strtoul(buffer.c_str() + at + std::string{name}.size(), nullptr, 10) : 0;
  if (buffer.size() < end + 4 + length)
    return false;
  body = buffer.substr(end + 4, length);
  buffer.erase(0, end + 4 + length);
  return true;
}

} // namespace

faulty_gateway::faulty_gateway() : port_(free_port()) {
  start();
}

std::string faulty_gateway::url() const {
  return "http://" + address_ + ":" + std::to_string(port_);
}

void faulty_gateway::open(const std::string& token) {
  const std::lock_guard lock{mutex_};
  open_.insert(token);
}

std::vector<std::string> faulty_gateway::sent_to(const std::string& token) const {
  const std::lock_guard lock{mutex_};
  const auto found = sent_.find(token);
  return found == sent_.end() ? std::vector<std::string>{} : found->second;
}

void faulty_gateway::move(
  std::string address, std::function<void(const std::function<void()>&)> inside) {
  crash();
  address_ = std::move(address);
  inside_ = std::move(inside);
  start();
}

void faulty_gateway::start() {
  stopping_ = false;
  inside_([this] { listen(); });
  acceptor_ = std::thread{[this, fd = listener_] {
    accept_all(fd);
  }};
}

void faulty_gateway::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(port_);
  ::inet_pton(AF_INET, address_.c_str(), &here.sin_addr);
  if (
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0
    || ::listen(listener_, 64) != 0)
    throw std::runtime_error{"cannot listen"};
}

void faulty_gateway::hang_up() {
  const std::lock_guard lock{mutex_};
  for (const auto fd : descriptors_) {
    // Nothing is left that would tell the other side again and again.
    const linger reset{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    ::shutdown(fd, SHUT_RDWR);
  }
}

void faulty_gateway::crash() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  if (acceptor_.joinable())
    acceptor_.join();
  if (listener_ >= 0)
    ::close(std::exchange(listener_, -1));
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock{mutex_};
    open_.clear();
    threads = std::exchange(connections_, {});
    for (const auto fd : descriptors_)
      ::shutdown(fd, SHUT_RDWR);
  }
  for (auto& thread : threads)
    thread.join();
}

void faulty_gateway::accept_all(int listener) {
  while (!stopping_) {
    const auto fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0)
      continue;
    const std::lock_guard lock{mutex_};
    descriptors_.insert(fd);
    connections_.emplace_back([this, fd] { serve(fd); });
  }
}

void faulty_gateway::serve(int fd) {
  std::string buffer;
  std::array<char, 65536> part{};
  for (bool going = true; going && !stopping_;) {
    const auto got = ::recv(fd, part.data(), part.size(), 0);
    if (got <= 0)
      break;
    buffer.append(part.data(), static_cast<std::size_t>(got));
    for (std::string body; going && take_request(buffer, body);)
      going = answer(fd, body);
  }
  {
    const std::lock_guard lock{mutex_};
    descriptors_.erase(fd);
  }
  ::close(fd);
}

bool faulty_gateway::answer(int fd, const std::string& body) {
  const auto now = mood_.load();
  if (now == mood::hanging) {
    while (mood_ == mood::hanging && !stopping_)
      std::this_thread::sleep_for(slowness);
    return false;
  }
  if (now == mood::resetting) {
    if (std::hash<std::string>{}(body) % 2 == 0)
      status_of(body);
    return false;
  }
  if (now == mood::slow)
    std::this_thread::sleep_for(slowness);
  const auto status = now == mood::failing ? 500 : status_of(body);
  return send_all(fd, "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 2\r\n\r\n{}");
}

int faulty_gateway::status_of(const std::string& body) {
  const auto send = nlohmann::json::parse(body);
  const std::string token = send.at("token");
  const std::lock_guard lock{mutex_};
  if (!open_.contains(token))
    return 404;
  if (send.contains("event"))
    sent_[token].push_back(send["event"].at("data"));
  if (send.value("close", false))
    open_.erase(token);
  return 200;
}

} // namespace herald::testing
