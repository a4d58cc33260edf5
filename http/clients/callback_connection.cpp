#include "http/clients/callback_connection.hpp"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>

namespace herald {

namespace http = boost::beast::http;
namespace asio = boost::asio;

namespace {

/// Answers mean their status; more of a body than this is not read.
constexpr std::uint64_t max_body_bytes = std::uint64_t{64} * 1024;
constexpr std::uint32_t max_header_bytes = 16 * 1024;

bool is_closed_by_peer(boost::system::error_code error) {
  return error == http::error::end_of_stream || error == asio::error::eof
         || error == asio::error::connection_reset || error == asio::error::broken_pipe;
}

} // namespace

callback_connection::callback_connection(
  asio::io_context& io, const http_url& url, endpoint_cache& endpoints)
  : endpoints_(endpoints),
    socket_(io),
    timer_(io) {
  request_.version(11);
  request_.method(http::verb::post);
  request_.target(url.request_target());
  request_.set(http::field::host, url.authority());
  request_.set(http::field::user_agent, "herald/" HERALD_VERSION);
  request_.set(http::field::content_type, "application/json");
}

template <class Step>
auto callback_connection::while_current(Step step) {
  return [self = shared_from_this(), post = current_, step](error_code error, const auto&... rest) {
    if (self->done_ && self->current_ == post)
      step(*self, error, rest...);
  };
}

void callback_connection::post(std::string body, clock::time_point deadline, handler done) {
  ++current_;
  done_ = std::move(done);
  parser_.reset();
  request_.body() = std::move(body);
  request_.prepare_payload();
  timer_.expires_at(deadline);
  timer_.async_wait(while_current([](callback_connection& self, error_code error) {
    if (!error)
      self.expired();
  }));
  reused_ = socket_.is_open();
  if (reused_)
    write();
  else
    resolve();
}

bool callback_connection::reusable() {
  if (!socket_.is_open())
    return false;
  char byte = 0;
  const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void callback_connection::resolve() {
  endpoints_.get(while_current(
    [](callback_connection& self, error_code error, const endpoint_cache::endpoints& found) {
      if (error)
        self.broken(error);
      else
        self.connect(found);
    }));
}

void callback_connection::connect(const endpoint_cache::endpoints& endpoints) {
  asio::async_connect(
    socket_, endpoints,
    while_current([](callback_connection& self, error_code error, const auto& /*endpoint*/) {
      if (error) {
        self.endpoints_.invalidate();
        self.broken(error);
        return;
      }
      error_code ignored;
      self.socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
      self.write();
    }));
}

void callback_connection::write() {
  http::async_write(
    socket_, request_,
    while_current([](callback_connection& self, error_code error, std::size_t /*bytes*/) {
      if (error)
        self.broken(error);
      else
        self.read();
    }));
}

void callback_connection::read() {
  parser_.emplace();
  parser_->body_limit(max_body_bytes);
  parser_->header_limit(max_header_bytes);
  http::async_read(
    socket_, buffer_, *parser_,
    while_current([](callback_connection& self, error_code error, std::size_t /*bytes*/) {
      self.on_read(error);
    }));
}

void callback_connection::on_read(error_code error) {
  if (!parser_->is_header_done()) {
    broken(error);
    return;
  }
  const auto status = parser_->get().result_int();
  if (!error && status < 200) { // an interim answer; the real one follows
    read();
    return;
  }
  // The status is the answer, even where the rest cannot be read.
  const bool keep = !error && parser_->get().keep_alive() && buffer_.size() == 0;
  if (!keep) {
    error_code ignored;
    socket_.close(ignored);
  }
  finish({result::answered, status, {}});
}

void callback_connection::broken(error_code error) {
  const bool begun = parser_ && parser_->got_some();
  const bool stale = reused_ && !begun && is_closed_by_peer(error);
  error_code ignored;
  socket_.close(ignored);
  finish({stale ? result::stale : result::unreachable, 0, error.message()});
}

void callback_connection::expired() {
  error_code ignored;
  socket_.close(ignored);
  finish({result::timed_out, 0, "no answer in time"});
}

void callback_connection::finish(const outcome& how) {
  // Parser and request stay: an operation on a socket that was closed just now still uses them.
  timer_.cancel();
  idle_since_ = clock::now();
  // Moved out first: `done` may start the next post.
  const auto done = std::exchange(done_, nullptr);
  done(how);
}

} // namespace herald
