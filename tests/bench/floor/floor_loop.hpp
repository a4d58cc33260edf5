#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/bench/swarm/descriptor.hpp"
#include "tests/bench/swarm/sockets.hpp"

namespace herald::bench {

/// The least that a server of streams can do: it accepts, answers each GET with the head of a
/// stream, and writes the body of each POST as one chunk to every stream, with one send() each. No
/// queue, no buffer, no heartbeat, no care for a client that does not read: a measuring point.
class floor_loop {
public:
  /// Takes clients from `listener`, which stays the caller's.
  explicit floor_loop(int listener);

  /// The others that get the frames which this one is given.
  void join(std::vector<floor_loop*> others) { others_ = std::move(others); }

  /// Runs for ever.
  void run();

private:
  using frame = std::shared_ptr<const std::string>;

  void accept_all();
  void readable(int fd);
  void publish(std::string body);
  void broadcast(const std::string& bytes) const;
  void take_in();
  void give(const frame& bytes);
  void open_stream(int fd);
  void close(int fd);

  int listener_;
  epoll_set sockets_;
  descriptor wake_;
  std::vector<floor_loop*> others_;
  std::vector<int> streams_;
  /// By descriptor: its place in `streams_`, counted from 1.
  std::vector<std::uint32_t> place_;

  std::mutex mutex_;
  std::vector<frame> given_;
};

} // namespace herald::bench
