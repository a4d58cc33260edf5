#include "http/clients/http_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <boost/asio/connect.hpp>

namespace herald {

namespace {

using boost::system::error_code;
using kind = post_outcome::kind;
using tcp = boost::asio::ip::tcp;

error_code system_error(int number) {
  return {number, boost::system::system_category()};
}

} // namespace

http_connection::http_connection(
  socket_loop& loop, endpoint_cache& endpoints, const http_url& url, clock::duration longest_quiet,
  handler done)
  : loop_(loop),
    endpoints_(endpoints),
    longest_quiet_(longest_quiet),
    done_(std::move(done)),
    exchange_(url),
    timer_(loop.io()) {}

void http_connection::post(std::string_view body, clock::time_point deadline) {
  const bool over_kept = kept();
  if (!over_kept)
    close();
  exchange_.begin(body, over_kept);
  posting_ = true;
  status_told_ = false;
  deadline_ = deadline;
  watch_clock(deadline);
  if (over_kept)
    send();
  else
    connect();
}

bool http_connection::kept() const {
  return place_ && clock::now() - last_used_ < longest_quiet_;
}

bool http_connection::hung_up_within(clock::duration time) const {
  return hung_up_ && clock::now() - last_used_ < std::min(time, longest_quiet_);
}

void http_connection::close() {
  hung_up_ = false;
  if (const auto attempt = std::exchange(connecting_, nullptr)) {
    error_code ignored;
    attempt->close(ignored);
  }
  if (place_)
    loop_.remove(*std::exchange(place_, std::nullopt));
  fd_.close();
}

/// Wraps a step of the attempt to connect so that it is dropped once that is given up.
template <class Step>
auto http_connection::while_connecting(Step step) {
  return [connection = std::weak_ptr{self_}, attempt = connecting_,
          step](error_code error, const auto& result) {
    const auto self = connection.lock();
    if (self && self->connecting_ == attempt)
      step(*self, error, result);
  };
}

void http_connection::connect() {
  connecting_ = std::make_shared<tcp::socket>(loop_.io());
  endpoints_.get(while_connecting(
    [](http_connection& self, error_code error, const endpoint_cache::endpoints& found) {
      if (error)
        self.finish({kind::unreachable, 0, {}, "cannot connect", error});
      else
        self.connect_to(found);
    }));
}

void http_connection::connect_to(const endpoint_cache::endpoints& found) {
  boost::asio::async_connect(
    *connecting_, found,
    while_connecting([](http_connection& self, error_code error, const tcp::endpoint& /*which*/) {
      if (!error)
        error = self.hand_to_loop();
      if (!error) {
        self.send();
        return;
      }
      self.endpoints_.invalidate();
      self.finish({kind::unreachable, 0, {}, "cannot connect", error});
    }));
}

/// From here on the socket is the loop's: also the end of a connection that nobody uses is seen.
error_code http_connection::hand_to_loop() {
  const auto attempt = std::exchange(connecting_, nullptr);
  error_code error;
  attempt->set_option(tcp::no_delay{true}, error);
  attempt->non_blocking(true, error);
  if (error)
    return error;
  fd_ = owned_fd{attempt->release(error)};
  place_ = loop_.add(fd_.get(), *this);
  return place_ ? error_code{} : system_error(errno);
}

void http_connection::send() {
  const auto bytes = exchange_.unsent();
  loop_.send(*place_, bytes.data(), bytes.size());
}

void http_connection::sent(ssize_t result) {
  if (result < 0 && result != -EAGAIN) {
    finish(exchange_.ended(system_error(static_cast<int>(-result))));
    return;
  }
  exchange_.sent(static_cast<std::size_t>(std::max<ssize_t>(result, 0)));
  if (!exchange_.unsent().empty())
    loop_.watch_writable(*place_, true);
}

void http_connection::ready(std::uint32_t what) {
  if ((what & EPOLLOUT) != 0) {
    loop_.watch_writable(*place_, false);
    send();
  }
  if ((what & ~std::uint32_t{EPOLLOUT}) != 0)
    read();
}

void http_connection::read() {
  std::array<char, 8192> buffer; // NOLINT: written by recv
  const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (!posting_) {
    // It has hung up, or said something that nobody asked for.
    close();
    hung_up_ = true;
  } else if (got <= 0) {
    finish(exchange_.ended(got < 0 ? system_error(errno) : error_code{}));
  } else if (const auto how = exchange_.received({buffer.data(), static_cast<std::size_t>(got)})) {
    finish(*how);
  } else {
    tell_status_once();
  }
}

void http_connection::tell_status_once() {
  const auto status = exchange_.status();
  if (!on_status_ || !status || std::exchange(status_told_, true))
    return;
  deadline_ = clock::now() + body_time_;
  watch_clock(deadline_);
  on_status_(*status);
}

/// Sees to it that the clock is looked at no later than then. Mostly the timer runs already, and
/// nothing is done.
void http_connection::watch_clock(clock::time_point until) {
  if (timer_fires_ <= until)
    return;
  timer_fires_ = until;
  timer_.expires_at(until);
  timer_.async_wait([connection = std::weak_ptr{self_}](error_code error) {
    const auto self = connection.lock();
    if (error || !self)
      return;
    self->timer_fires_ = clock::time_point::max();
    self->look_at_clock();
  });
}

void http_connection::look_at_clock() {
  const bool late = clock::now() >= deadline_;
  if (posting_ && late)
    finish({kind::timed_out, 0, {}, "no answer in time", {}});
  else if (posting_)
    watch_clock(deadline_);
  else if (kept())
    watch_clock(last_used_ + longest_quiet_);
  else if (place_)
    close();
}

void http_connection::finish(const post_outcome& how) {
  if (!exchange_.keeps_connection() || how.what != kind::answered)
    close();
  posting_ = false;
  last_used_ = clock::now();
  done_(how);
}

} // namespace herald
