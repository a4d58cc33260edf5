#include "http/head_session.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "http/problem.hpp"

namespace herald {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

/// How long, and how many bytes of what it still sends, an answered client may take to close. A
/// socket that is closed with unread bytes is reset, and the answer may be lost.
constexpr std::chrono::seconds lingering_time{2};
constexpr std::size_t lingering_bytes = std::size_t{64} * 1024;

stream_request request_of(const http::request<http::empty_body>& message) {
  stream_request request;
  request.method = message.method_string();
  request.target = message.target();
  request.version = message.version();
  for (const auto& header : message)
    request.headers.emplace_back(header.name_string(), header.value());
  return request;
}

api_reply refusal(int status, const char* title) {
  api_reply reply;
  reply.status = status;
  reply.content_type = "application/problem+json";
  reply.body = std::string{R"({"type":"about:blank","title":")"} + title + R"(","status":)"
               + std::to_string(status) + '}';
  return reply;
}

class head_session : public std::enable_shared_from_this<head_session> {
public:
  head_session(tcp::socket socket, const head_limits& limits, head_sink& sink)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      buffer_(limits.bytes),
      sink_(sink) {
    parser_.header_limit(static_cast<std::uint32_t>(limits.bytes));
  }

  void read(std::chrono::milliseconds time) {
    arm_timer(time);
    http::async_read_header(
      socket_, buffer_, parser_,
      [self = shared_from_this()](error_code error, std::size_t) { self->on_read(error); });
  }

private:
  void arm_timer(std::chrono::milliseconds time) {
    timer_.expires_after(time);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (error)
        return;
      self->timed_out_ = true;
      error_code ignored;
      self->socket_.cancel(ignored);
    });
  }

  void on_read(error_code error) {
    timer_.cancel();
    if (error) {
      fail(error);
      return;
    }
    const auto reply = sink_.on_head(socket_, request_of(parser_.get()));
    if (reply)
      answer(*reply);
  }

  void fail(error_code error) {
    if (timed_out_)
      refuse(head_sink::failure::timed_out, refusal(408, "Request timed out"));
    else if (error == http::error::header_limit || error == http::error::buffer_overflow)
      refuse(head_sink::failure::too_large, refusal(431, "Request head too large"));
    else if (
      error.category() == make_error_code(http::error::bad_method).category()
      && error != http::error::end_of_stream && error != http::error::partial_message)
      refuse(head_sink::failure::malformed, refusal(400, "Malformed request"));
    // Otherwise the client has gone.
  }

  void refuse(head_sink::failure why, const api_reply& reply) {
    sink_.on_bad_head(why);
    answer(reply);
  }

  void answer(const api_reply& reply) {
    answer_ = render_reply(reply, parser_.get().method() != http::verb::head);
    timed_out_ = false;
    arm_timer(lingering_time);
    asio::async_write(
      socket_, asio::buffer(answer_), [self = shared_from_this()](error_code error, std::size_t) {
        if (error)
          return self->finish();
        self->socket_.shutdown(tcp::socket::shutdown_send, error);
        self->discard();
      });
  }

  void discard() {
    socket_.async_read_some(
      asio::buffer(discarded_), [self = shared_from_this()](error_code error, std::size_t bytes) {
        self->discarded_bytes_ += bytes;
        if (error || self->discarded_bytes_ > lingering_bytes)
          return self->finish();
        self->discard();
      });
  }

  /// The timer is the last to hold this session, and its socket.
  void finish() { timer_.cancel(); }

  tcp::socket socket_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  http::request_parser<http::empty_body> parser_;
  head_sink& sink_;
  bool timed_out_ = false;
  std::string answer_;
  std::array<char, 1024> discarded_{};
  std::size_t discarded_bytes_ = 0;
};

} // namespace

void read_head(tcp::socket socket, const head_limits& limits, head_sink& sink) {
  std::make_shared<head_session>(std::move(socket), limits, sink)->read(limits.time);
}

} // namespace herald
