#include "http/clients/gateway_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/clients/gateway_answer.hpp"
#include "http/protocol/http_url.hpp"
#include "http/sockets/endpoint_cache.hpp"

namespace herald {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using clock = std::chrono::steady_clock;
using tcp = asio::ip::tcp;

/// Some proxies close sooner than Node. A connection that is found closed after less than this was
/// in use when the gateway went away.
constexpr std::chrono::seconds in_use{1};

/// The text between which only length and body are put, escaped for no one: it comes from a URL
/// that holds no blanks and no control characters.
std::string head_of(const http_url& url) {
  auto path = url.target.substr(0, url.target.find('?'));
  while (path.ends_with('/'))
    path.pop_back();
  return "POST " + path + "/internal/send HTTP/1.1\r\nHost: " + url.authority()
         + "\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: ";
}

/// The connection, which what is under way in the io_context keeps until it has ended.
class connection final : public std::enable_shared_from_this<connection>, private loop_socket {
public:
  connection(
    socket_loop& loop, const gateway_options& options, const http_url& url,
    gateway_link::handler done)
    : loop_(loop),
      timeout_(options.timeout),
      longest_quiet_(options.longest_quiet),
      head_(head_of(url)),
      endpoints_(loop.io(), url.host, url.port),
      connecting_(loop.io()),
      timer_(loop.io()),
      done_(std::move(done)) {}
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() = default;

  void post(std::string_view body) {
    const auto now = clock::now();
    // One buffer, one segment: a gateway that gets head and body apart wakes twice.
    request_.assign(head_);
    request_.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    sent_ = 0;
    answer_.begin();
    posting_ = true;
    deadline_ = now + timeout_;
    watch_deadline();
    const auto quiet = now - last_used_;
    if (quiet >= longest_quiet_)
      close();
    if (std::exchange(hung_up_, false) && quiet < in_use && quiet < longest_quiet_)
      // Not reconnected silently: who restarts has forgotten its streams, and the queue looks
      // after them when it sees the gateway go and come back.
      finish({send_result::unreachable, "connection closed by the gateway"});
    else if (fd_ >= 0)
      write();
    else
      connect();
  }

  /// Whoever waits hears nothing any more.
  void abandon() {
    done_ = nullptr;
    posting_ = false;
    timer_.cancel();
    close();
  }

private:
  /// Wraps a step so that it is dropped once the attempt to connect is given up.
  template <class Step>
  auto while_connecting(Step step) {
    return
      [self = shared_from_this(), attempt = attempt_, step](error_code error, const auto& result) {
        if (self->attempt_ == attempt)
          step(*self, error, result);
      };
  }

  void connect() {
    endpoints_.get(while_connecting(
      [](connection& self, error_code error, const endpoint_cache::endpoints& found) {
        if (error)
          self.lost("cannot connect");
        else
          self.connect_to(found);
      }));
  }

  void connect_to(const endpoint_cache::endpoints& found) {
    asio::async_connect(
      connecting_, found,
      while_connecting([](connection& self, error_code error, const tcp::endpoint& /*which*/) {
        if (error || !self.take_over()) {
          self.endpoints_.invalidate();
          self.lost("cannot connect");
        } else {
          self.write();
        }
      }));
  }

  /// From here on it is the loop's: also the end of a connection that nobody uses is seen.
  bool take_over() {
    error_code error;
    connecting_.set_option(tcp::no_delay{true}, error);
    connecting_.non_blocking(true, error);
    if (error)
      return false;
    fd_ = connecting_.release();
    place_ = loop_.add(fd_, *this);
    return place_.has_value();
  }

  void write() { loop_.send(*place_, request_.data() + sent_, request_.size() - sent_); }

  void sent(ssize_t result) override {
    if (result < 0 && result != -EAGAIN) {
      lost("connection lost while sending");
      return;
    }
    sent_ += static_cast<std::size_t>(std::max<ssize_t>(result, 0));
    if (sent_ < request_.size())
      loop_.watch_writable(*place_, true);
  }

  void ready(std::uint32_t what) override {
    if ((what & EPOLLOUT) != 0) {
      loop_.watch_writable(*place_, false);
      write();
    }
    if ((what & ~std::uint32_t{EPOLLOUT}) != 0)
      read();
  }

  void read() {
    std::array<char, 8192> buffer; // NOLINT: written by recv
    const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (!posting_) {
      // It has hung up, or said something that nobody asked for.
      close();
      hung_up_ = true;
      return;
    }
    if (got < 0) {
      lost("connection lost while waiting for the answer");
      return;
    }
    const auto state =
      got == 0 ? answer_.end() : answer_.feed({buffer.data(), static_cast<std::size_t>(got)});
    if (state == gateway_answer::state::complete)
      answered();
    else if (got == 0)
      lost("connection closed instead of an answer");
    else if (state == gateway_answer::state::malformed)
      lost("answer is not HTTP");
  }

  void answered() {
    // An answer that came before its request was all sent leaves the rest of that unsent.
    if (!answer_.reusable() || sent_ < request_.size())
      close();
    finish(answer_.outcome());
  }

  /// One timer for many sends: it is set for the deadline of the first, and then again if need be.
  void watch_deadline() {
    if (std::exchange(watching_, true))
      return;
    timer_.expires_at(deadline_);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      self->watching_ = false;
      if (error || !self->posting_)
        return;
      if (clock::now() < self->deadline_) {
        self->watch_deadline();
        return;
      }
      self->close();
      self->finish({send_result::timed_out, "no answer in time"});
    });
  }

  void lost(const char* why) {
    close();
    finish({send_result::unreachable, why});
  }

  void close() {
    ++attempt_;
    error_code ignored;
    connecting_.close(ignored);
    if (place_)
      loop_.remove(*std::exchange(place_, std::nullopt));
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

  void finish(send_outcome how) {
    posting_ = false;
    last_used_ = clock::now();
    done_(std::move(how));
  }

  socket_loop& loop_;
  const std::chrono::milliseconds timeout_;
  const std::chrono::milliseconds longest_quiet_;
  /// Up to the value of Content-Length.
  const std::string head_;
  endpoint_cache endpoints_;
  tcp::socket connecting_;
  asio::steady_timer timer_;
  gateway_link::handler done_;
  /// Counts the attempts to connect: what still comes of an earlier one is ignored.
  std::uint64_t attempt_ = 0;
  /// Once it is connected.
  int fd_ = -1;
  std::optional<socket_loop::place> place_;
  std::string request_;
  std::size_t sent_ = 0;
  gateway_answer answer_;
  bool posting_ = false;
  bool watching_ = false;
  /// The gateway has closed the connection while nothing was under way.
  bool hung_up_ = false;
  clock::time_point deadline_;
  clock::time_point last_used_;
};

class gateway_client final : public gateway_link {
public:
  explicit gateway_client(std::shared_ptr<connection> way) : way_(std::move(way)) {}
  gateway_client(const gateway_client&) = delete;
  gateway_client& operator=(const gateway_client&) = delete;
  ~gateway_client() override { way_->abandon(); }

  void post(std::string_view body) override { way_->post(body); }

private:
  std::shared_ptr<connection> way_;
};

/// Where there is nothing to connect to.
class no_client final : public gateway_link {
public:
  explicit no_client(handler done) : done_(std::move(done)) {}

  void post(std::string_view /*body*/) override {
    done_({send_result::unreachable, "not a plain HTTP URL"});
  }

private:
  handler done_;
};

} // namespace

std::unique_ptr<gateway_link>
connect_gateway(socket_loop& loop, const gateway_options& options, gateway_link::handler done) {
  const auto url = parse_http_url(options.url);
  if (!url || url->tls)
    return std::make_unique<no_client>(std::move(done));
  return std::make_unique<gateway_client>(
    std::make_shared<connection>(loop, options, *url, std::move(done)));
}

} // namespace herald
