#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "http/protocol/http_url.hpp"
#include "http/sockets/endpoint_cache.hpp"

namespace herald {

/// One kept-alive connection to the backend: makes one POST at a time. For one thread.
class callback_connection : public std::enable_shared_from_this<callback_connection> {
public:
  using clock = std::chrono::steady_clock;
  using error_code = boost::system::error_code;

  enum class result : std::uint8_t {
    answered,
    /// Refused, reset, no such host, not HTTP.
    unreachable,
    timed_out,
    /// The backend had closed the kept connection; it has not begun to answer.
    stale,
  };

  struct outcome {
    result what = result::unreachable;
    unsigned status = 0;
    /// What the system says about it, for the log.
    std::string why;
  };

  using handler = std::function<void(const outcome&)>;

  callback_connection(boost::asio::io_context& io, const http_url& url, endpoint_cache& endpoints);

  /// Connects if need be and posts. `done` is called once, at the latest at the deadline, and never
  /// from inside of this call. Only for a new connection, or one that is `reusable`.
  void post(std::string body, clock::time_point deadline, handler done);

  /// Whether another post may go over it: open, and nothing has come in since the last answer.
  [[nodiscard]] bool reusable();

  [[nodiscard]] clock::time_point idle_since() const noexcept { return idle_since_; }

private:
  using response_parser = boost::beast::http::response_parser<boost::beast::http::string_body>;
  using request = boost::beast::http::request<boost::beast::http::string_body>;

  void resolve();
  void connect(const endpoint_cache::endpoints& endpoints);
  void write();
  void read();
  void on_read(error_code error);
  void broken(error_code error);
  void expired();
  void finish(const outcome& how);

  /// Wraps a step so that it is dropped once the post that it belongs to has ended.
  template <class Step>
  auto while_current(Step step);

  endpoint_cache& endpoints_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  request request_;
  std::optional<response_parser> parser_;
  handler done_;
  /// Counts the posts: what still comes of an earlier one is ignored.
  std::uint64_t current_ = 0;
  bool reused_ = false;
  clock::time_point idle_since_;
};

} // namespace herald
