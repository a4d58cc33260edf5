#include "http/sockets/acceptor.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include "actors/telemetry/log.hpp"

namespace herald {

namespace {

constexpr std::string_view component = "stream-endpoint";
constexpr std::chrono::milliseconds shortage_pause{100};

/// Descriptors or memory are short: trying again at once would only spin.
bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

} // namespace

acceptor::acceptor(
  boost::asio::io_context& io, socket_set& sockets, socket_tag tag, owned_fd listener,
  const counters& numbers, unsigned loop, client_sink& sink)
  : timer_(io),
    sockets_(sockets),
    tag_(tag),
    listener_(std::move(listener)),
    numbers_(numbers),
    loop_(loop),
    sink_(sink) {}

void acceptor::listen() {
  // The round that was to set the timer again may be what has failed.
  if (now_ == state::gathering)
    return pause(now_, clock::now() + gathering_pause);
  if (now_ != state::idle || listener_.get() < 0)
    return;
  if (sockets_.add(listener_.get(), tag_))
    now_ = state::listening;
  else
    on_shortage(errno);
}

void acceptor::stop() {
  timer_.cancel();
  now_ = state::idle;
  listener_.close();
}

void acceptor::on_event(clock::time_point now) {
  if (now < gather_until_)
    return pause(state::gathering, gather_until_);
  (void)accept_some(now);
}

std::size_t acceptor::accept_some(clock::time_point now) {
  gather_until_ = now + gathering_pause;
  std::size_t taken = 0;
  while (taken < slice && listener_.get() >= 0) {
    const auto fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      ++taken;
      numbers_.accepted.Increment();
      sink_.on_client(fd, now);
    } else if (is_shortage(errno)) {
      on_shortage(errno);
      break;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      // Other errors are of the client that was to be accepted, and gone with it.
      break;
    }
  }
  if (taken == slice)
    gather_until_ = now;
  return taken;
}

/// The listener is left alone until then.
void acceptor::pause(state why, clock::time_point until) {
  if (now_ == state::listening)
    sockets_.remove(listener_.get());
  now_ = why;
  timer_.expires_at(until);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled)
      on_gathered();
  });
}

void acceptor::on_gathered() {
  if (now_ == state::starved) {
    now_ = state::idle;
    return listen();
  }
  const auto taken = accept_some(clock::now());
  numbers_.gathered.Increment(static_cast<double>(taken));
  if (now_ == state::gathering) {
    if (taken == 0) {
      now_ = state::idle;
      listen();
    } else {
      pause(state::gathering, gather_until_);
    }
  }
  sink_.on_gathered();
}

void acceptor::on_shortage(int error) {
  numbers_.errors.Increment();
  log::warning(
    component, "accept_failed", {{"loop", loop_}, {"why", std::generic_category().message(error)}});
  pause(state::starved, clock::now() + shortage_pause);
}

} // namespace herald
