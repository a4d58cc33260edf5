#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "actors/system/owned_fd.hpp"
#include "http/clients/http_exchange.hpp"
#include "http/sockets/endpoint_cache.hpp"
#include "http/sockets/socket_loop.hpp"

namespace herald {

/// A connection to one server that POSTs are made over, one at a time. The first POST opens it; a
/// POST after it has ended opens another. A connection that was quiet for `longest_quiet` carries
/// no POST again, as the server may be closing it at that moment. It is closed then, or at the last
/// deadline, whichever is later.
///
/// Lives on the thread of `loop`. Loop and cache outlive it. No TLS: that is `curl_client`'s.
class http_connection final : private loop_socket {
public:
  using clock = std::chrono::steady_clock;
  /// Tells how the POST under way has ended; it may begin the next one, but not destroy the
  /// connection.
  using handler = std::function<void(const post_outcome&)>;
  /// Tells the status of the answer to the POST under way where its head has come without all of
  /// its body. May neither begin a POST nor destroy the connection.
  using status_handler = std::function<void(unsigned status)>;

  http_connection(
    socket_loop& loop, endpoint_cache& endpoints, const http_url& url,
    clock::duration longest_quiet, handler done);
  http_connection(const http_connection&) = delete;
  http_connection& operator=(const http_connection&) = delete;
  /// From now on `on_status` is called as soon as there is a status. The POST is under way until
  /// its body has ended, which may take no longer than `body_time` then, whatever the deadline was.
  void tell_status(status_handler on_status, clock::duration body_time) {
    on_status_ = std::move(on_status);
    body_time_ = body_time;
  }

  /// Whoever waits for a POST hears nothing any more.
  ~http_connection() { close(); }

  /// POSTs a copy of `body`. The handler is called once, at the latest at the deadline, and never
  /// from inside of this call. Not while a POST is under way.
  void post(std::string_view body, clock::time_point deadline);

  /// Where the answer to the last POST sends whoever asked, as of `http_exchange`.
  [[nodiscard]] std::string_view location() const { return exchange_.location(); }

  /// Whether a POST would now go over the connection of the last one.
  [[nodiscard]] bool kept() const;

  /// Whether the server has closed the connection since the last POST, and that POST has ended less
  /// than `time` ago. No longer so after `close` or the next POST.
  [[nodiscard]] bool hung_up_within(clock::duration time) const;

  /// Closes what is open; the next POST opens another.
  void close();

private:
  void ready(std::uint32_t what) override;
  void sent(ssize_t result) override;

  template <class Step>
  auto while_connecting(Step step);
  void connect();
  void connect_to(const endpoint_cache::endpoints& found);
  boost::system::error_code hand_to_loop();
  void send();
  void read();
  void tell_status_once();
  void watch_clock(clock::time_point until);
  void look_at_clock();
  void finish(const post_outcome& how);

  socket_loop& loop_;
  endpoint_cache& endpoints_;
  const clock::duration longest_quiet_;
  const handler done_;
  status_handler on_status_;
  clock::duration body_time_{};
  http_exchange exchange_;
  /// While it connects. It names the attempt, too: what still comes of another one is ignored.
  std::shared_ptr<boost::asio::ip::tcp::socket> connecting_;
  /// Once it is connected.
  owned_fd fd_;
  std::optional<socket_loop::place> place_;
  boost::asio::steady_timer timer_;
  /// When the timer fires next. It is left running from one POST to the next.
  clock::time_point timer_fires_ = clock::time_point::max();
  clock::time_point deadline_;
  clock::time_point last_used_;
  bool posting_ = false;
  /// The status of the POST under way is told.
  bool status_told_ = false;
  bool hung_up_ = false;
  /// Held weakly by what is under way in the io_context.
  const std::shared_ptr<http_connection> self_{this, [](http_connection*) {
                                               }};
};

} // namespace herald
