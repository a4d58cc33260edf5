#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "tests/bench/swarm/clock.hpp"
#include "tests/bench/swarm/descriptor.hpp"
#include "tests/bench/swarm/sockets.hpp"

namespace herald::bench {

/// Answers every HTTP request at once and with the same, on a thread of its own.
class request_server {
public:
  /// Gets the body of each request, and when it was received.
  using listener = std::function<void(std::string_view body, nanos received)>;
  /// Called after each look at the sockets.
  using pause = std::function<void()>;

  request_server(std::uint16_t port, std::string answer, listener on_request, pause on_pause);
  ~request_server();
  request_server(const request_server&) = delete;
  request_server& operator=(const request_server&) = delete;

  void start();
  /// Afterwards the listener is not called any more.
  void stop();

private:
  struct client {
    descriptor socket;
    std::string in;
  };

  void run();
  void accept();
  void readable(client& c);
  bool take_request(client& c, nanos received);

  std::string answer_;
  listener on_request_;
  pause on_pause_;
  descriptor door_;
  epoll_set sockets_;
  std::unordered_map<client*, std::unique_ptr<client>> clients_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

} // namespace herald::bench
