#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/swarm/descriptor.hpp"
#include "tests/bench/swarm/sequence_check.hpp"

namespace herald::bench {

/// A server of streams on a thread of its own, which does wrong exactly what it is told to.
/// `GET /s/N` opens stream N; every POST is an event for all streams.
class faulty_server {
public:
  struct delivery {
    unsigned stream;
    event_number number;
    /// What a good server would write.
    std::string frame;
  };
  /// What to write instead.
  using fault = std::function<std::string(const delivery&)>;

  struct behaviour {
    fault faults = [](const delivery& d) {
      return d.frame;
    };
    /// Streams whose body is chunked.
    std::function<bool(unsigned)> chunked = [](unsigned) {
      return false;
    };
    /// Bytes of one write to a stream; 0: all of them.
    std::function<std::size_t(unsigned)> pieces = [](unsigned) {
      return std::size_t{0};
    };
    /// Streams that are ended once an event was written to them.
    std::function<bool(unsigned, event_number)> ends = [](unsigned, event_number) {
      return false;
    };
    /// Called before an event is written to anyone or answered.
    std::function<void(event_number)> before = [](event_number) {
    };
    /// Refused with 503.
    std::function<bool(unsigned)> refuses = [](unsigned) {
      return false;
    };
  };

  explicit faulty_server(behaviour how);
  ~faulty_server();
  faulty_server(const faulty_server&) = delete;
  faulty_server& operator=(const faulty_server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
  struct client {
    descriptor socket;
    std::string in;
    bool is_stream = false;
    unsigned stream = 0;
  };

  void run();
  bool readable(client& c);
  bool request(client& c, std::string_view head, const std::string& body);
  void publish(const std::string& body);
  void write(const client& c, std::string bytes) const;

  behaviour how_;
  descriptor listener_;
  std::uint16_t port_ = 0;
  std::map<int, client> clients_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

} // namespace herald::bench
