#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/server/api_connection.hpp"
#include "http/sockets/event_descriptor.hpp"
#include "http/sockets/socket_set.hpp"

namespace herald {

/// Where connections of the API are while no thread answers them: whoever is idle, slow to send a
/// request or slow to read an answer costs a place here, and no thread.
///
/// Requests that come too slowly lose their place where others have none: the one that is furthest
/// behind `min_rate_bytes` first, with an answer (408). The same, with 503, where all requests
/// together have more bytes than they may.
class api_lobby {
public:
  struct events {
    /// A request is there. On the lobby's thread; must not wait.
    std::function<void(api_connection_ptr)> complete;
    /// The head of one is there that is not for here. As before.
    std::function<void(api_connection_ptr)> elsewhere;
    /// Puts the answer that tells why a request is refused; `reason` labels the metric.
    std::function<void(api_connection&, const failure& why, std::string_view reason)> refuse;
    /// Answers without memory; the connection ends then.
    std::function<void(const api_connection&)> memory_is_out;
  };

  /// `options` and `places` outlive it.
  api_lobby(const api_options& options, connection_places& places, events events);
  /// Not before `stop`, once it has started.
  ~api_lobby();

  api_lobby(const api_lobby&) = delete;
  api_lobby& operator=(const api_lobby&) = delete;

  /// Attends to connections, on a thread of its own. Call it once.
  void start();

  /// Takes a connection: writes its output, does what follows, reads its next request. Safe from
  /// any thread.
  void take(api_connection_ptr guest);

  /// Ends who is idle; gives those under way a second. Returns once no connection has a place any
  /// more, here or elsewhere.
  void stop();

private:
  using clock = api_socket::clock;
  enum class doing : std::uint8_t { reading, writing, draining };

  struct seat {
    api_connection_ptr guest;
    doing now = doing::reading;
    clock::time_point deadline;
    /// Thrown away.
    std::size_t drained = 0;
  };
  using seats = std::unordered_map<int, seat>;

  void run();
  void wait();
  void let_in();
  void seat_down(int fd, api_connection_ptr arrival);
  template <class Step>
  void guarded(int fd, Step step);
  void hurry();
  void attend(seats::iterator at);
  void read(seats::iterator at);
  void write(seats::iterator at);
  void drain(seats::iterator at);
  void expire();
  void refuse_request(seats::iterator at);
  void refuse(
    seats::iterator at, api_connection::ending then, const failure& why, std::string_view reason);
  void go_on(seats::iterator at);
  void set_deadline(seats::iterator at, clock::time_point deadline);
  api_connection_ptr release(seats::iterator at);
  [[nodiscard]] bool is_idle(const seat& taken) const;
  void make_room();
  void end_drains();
  void make_room_for_bytes();
  [[nodiscard]] std::vector<std::pair<double, int>> by_progress() const;

  const api_options& options_;
  connection_places& places_;
  const events events_;
  socket_set sockets_;
  event_descriptor wake_;
  seats seats_;
  std::set<std::pair<clock::time_point, int>> deadlines_;
  /// Set once it stops: by then all have to be through.
  clock::time_point last_call_ = clock::time_point::max();
  clock::time_point next_room_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<api_connection_ptr> arrivals_;
  std::thread thread_;
};

} // namespace herald
