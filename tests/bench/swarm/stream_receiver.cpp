#include "tests/bench/swarm/stream_receiver.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>

#include <boost/algorithm/string/replace.hpp>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/bench/swarm/complaints.hpp"
#include "tests/bench/swarm/request_template.hpp"

namespace herald::bench {

namespace {

constexpr std::size_t read_size = std::size_t{256} * 1024;
constexpr std::size_t open_at_once = 64;
constexpr nanos slow_read_interval = second / 10;
constexpr nanos quiet_time = second / 2;
constexpr nanos drain_time = 10 * second;

std::string request(const stream_settings& settings, std::uint32_t number) {
  auto path = settings.path;
  if (const auto at = path.find("%d"); at != path.npos)
    path.replace(at, 2, std::to_string(number));
  std::uint64_t each = 0;
  for (auto at = path.find("%R"); at != path.npos; at = path.find("%R", at + 2))
    ++each;
  for (std::uint64_t i = 0; i < each && settings.keys != 0; ++i)
    path.replace(
      path.find("%R"), 2, std::to_string(scattered_key(number * each + i, settings.keys)));
  auto text = "GET " + path + " HTTP/" + settings.http
              + "\r\nHost: 127.0.0.1:" + std::to_string(settings.port)
              + "\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n";
  for (const auto& header : settings.headers)
    text += header + "\r\n";
  if (!settings.lines.empty())
    boost::algorithm::replace_all(text, "%L", settings.lines[number % settings.lines.size()]);
  return text + "\r\n";
}

int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::string error_text(int error) {
  return std::generic_category().message(error);
}

} // namespace

stream_receiver::stream_receiver(
  const stream_settings& settings, std::size_t index, std::size_t sources, progress& run,
  stream_counts& counts)
  : settings_(settings),
    sources_(sources),
    run_(run),
    counts_(counts),
    streams_((settings.count + settings.threads - 1 - index) / settings.threads),
    buffer_(max_answer_line + read_size),
    random_(static_cast<std::minstd_rand::result_type>(index) + 1),
    counter_(run) {
  share_ = static_cast<double>(streams_.size()) / static_cast<double>(settings.count);
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    auto& s = streams_[i];
    s.number = static_cast<std::uint32_t>(index + i * settings.threads);
    s.slow = s.number < settings.slow_readers;
    if (s.slow)
      slow_readers_.push_back(&s);
  }
}

void stream_receiver::run() {
  using stage = stream_counts::stage;
  began_ = now();
  while (counts_.now.load(std::memory_order_relaxed) == stage::running) {
    const auto at = now();
    if (next_ < streams_.size())
      open_some(at);
    else
      churn(at);
    read_slowly(at);
    wait_and_read();
  }
  drain_slow_readers();
  while (counts_.now.load() != stage::over)
    wait_and_read();
  judge_rest();
}

void stream_receiver::open_some(nanos at) {
  auto upto = streams_.size();
  if (settings_.ramp > 0) {
    const auto due = to_seconds(at - began_) * settings_.ramp * share_;
    upto = std::min(upto, static_cast<std::size_t>(due) + 1);
  }
  for (std::size_t i = 0; i < open_at_once && next_ < upto; ++i) {
    if (counts_.in_flight.load() >= settings_.in_flight)
      break;
    start(streams_[next_++]);
  }
}

void stream_receiver::churn(nanos at) {
  if (settings_.churn == 0 || run_.published.last() == 0)
    return;
  if (churn_began_ == 0)
    churn_began_ = at;
  const auto due = to_seconds(at - churn_began_) * settings_.churn * share_;
  for (std::size_t i = 0; i < open_at_once && churned_ < static_cast<std::uint64_t>(due); ++i) {
    if (counts_.in_flight.load() >= settings_.in_flight)
      break;
    auto& s = streams_[random_() % streams_.size()];
    if (s.opened == 0 || s.slow)
      continue;
    counter_.close_own(s.check);
    close(s);
    start(s);
    ++churned_;
  }
}

void stream_receiver::start(stream& s) {
  counts_.in_flight.fetch_add(1);
  s.answer = {};
  s.events = {};
  s.check = {};
  s.started = now();
  try {
    s.socket = begin_connect(
      settings_.port, static_cast<std::uint32_t>(s.number % sources_),
      s.slow ? settings_.slow_buffer : 0);
    sockets_.add(s.socket.get(), EPOLLOUT, &s);
    s.now = state::connecting;
  } catch (const std::system_error& e) {
    fail(s, e.what());
  }
}

void stream_receiver::send_request(stream& s) {
  if (const auto error = pending_error(s.socket.get())) {
    fail(s, "connect: " + error_text(error));
    return;
  }
  const auto text = request(settings_, s.number);
  const auto sent = ::send(s.socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(text.size())) {
    fail(s, "the request was not taken");
    return;
  }
  sockets_.change(s.socket.get(), EPOLLIN, &s);
  s.now = state::reading;
}

void stream_receiver::has_opened(stream& s, nanos at) {
  s.opened = at;
  opening_.add(at - s.started);
  counts_.in_flight.fetch_sub(1);
  (s.tried ? counts_.reopened : counts_.opened).fetch_add(1);
  counts_.open.fetch_add(1);
  if (s.slow)
    sockets_.remove(s.socket.get());
  else
    run_.live.fetch_add(1);
  tried(s);
}

void stream_receiver::fail(stream& s, std::string_view why) {
  complain("stream " + std::to_string(s.number) + ": " + std::string{why});
  s.socket.close();
  s.now = state::closed;
  counts_.in_flight.fetch_sub(1);
  counts_.failed.fetch_add(1);
  tried(s);
}

void stream_receiver::tried(stream& s) {
  if (!s.tried)
    counts_.untried.fetch_sub(1);
  s.tried = true;
}

void stream_receiver::wait_and_read() {
  std::array<epoll_event, 1024> events{};
  const bool busy = next_ < streams_.size() || settings_.churn > 0;
  const auto count =
    ::epoll_wait(sockets_.get(), events.data(), static_cast<int>(events.size()), busy ? 1 : 50);
  for (int i = 0; i < count; ++i) {
    auto& s = *static_cast<stream*>(events.at(static_cast<std::size_t>(i)).data.ptr);
    if (s.now == state::connecting)
      send_request(s);
    else
      readable(s, read_size);
  }
  counter_.flush();
  if (settings_.nap_us > 0 && count > 0)
    std::this_thread::sleep_for(std::chrono::microseconds{settings_.nap_us});
}

void stream_receiver::readable(stream& s, std::size_t limit) {
  char* const buffer = buffer_.data();
  const auto kept = s.answer.restore(buffer);
  const auto got = ::recv(s.socket.get(), buffer + kept, limit, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0) {
    ended(s, got == 0 ? "closed by the server" : error_text(errno));
    return;
  }
  const auto received = now();
  bytes_ += static_cast<std::uint64_t>(got);
  const auto state = s.answer.read(buffer, static_cast<std::size_t>(got), [&](auto text) {
    // The first line comes with the head: from there on the stream is owed what is published.
    line(s, text, received);
  });
  if (state == answer_reader::state::open && s.opened == 0)
    has_opened(s, received);
  if (state == answer_reader::state::malformed)
    ++malformed_;
  if (state > answer_reader::state::open)
    ended(s, state == answer_reader::state::refused ? s.answer.refusal() : "no event stream");
}

void stream_receiver::line(stream& s, std::string_view text, nanos received) {
  const auto event = s.events.line(text);
  if (!event)
    return;
  s.lagged = s.lagged || event->lagged;
  if (!s.slow)
    counter_.count(s.check, s.opened == 0 ? received : s.opened, *event, received);
  else if (event->number != 0) {
    if (!s.check.started())
      s.check.start(run_.published.first_after(s.opened));
    s.check.see(event->number);
  }
}

void stream_receiver::read_slowly(nanos at) {
  if (slow_readers_.empty() || at < slow_read_ + slow_read_interval)
    return;
  const auto since = slow_read_ == 0 ? slow_read_interval : at - slow_read_;
  slow_read_ = at;
  const auto bytes = static_cast<double>(settings_.slow_rate) * to_seconds(since);
  for (auto* s : slow_readers_)
    if (s->opened != 0 && bytes >= 1)
      readable(*s, static_cast<std::size_t>(bytes));
}

void stream_receiver::drain_slow_readers() {
  for (auto* s : slow_readers_)
    if (s->opened != 0)
      sockets_.add(s->socket.get(), EPOLLIN, s);
  const auto began = now();
  auto last = began;
  while (!slow_readers_.empty() && now() < std::min(began + drain_time, last + quiet_time)) {
    const auto before = bytes_;
    wait_and_read();
    if (bytes_ != before)
      last = now();
  }
}

void stream_receiver::ended(stream& s, std::string_view why) {
  if (s.opened == 0) {
    fail(s, why);
    return;
  }
  if (s.lagged)
    counts_.lagged.fetch_add(1);
  if (s.slow) {
    ++slow_.ended_by_server;
    slow_.told += s.lagged ? 1 : 0;
  } else {
    complain("stream " + std::to_string(s.number) + ": " + std::string{why});
    counter_.close_owed(s.check, s.opened);
    counts_.ended_by_server.fetch_add(1);
  }
  close(s);
}

void stream_receiver::close(stream& s) {
  s.socket.close();
  s.now = state::closed;
  s.opened = 0;
  counts_.open.fetch_sub(1);
  if (s.slow)
    slow_.lost += s.check.missing(0);
  else
    run_.live.fetch_sub(1);
}

void stream_receiver::judge_rest() {
  for (auto& s : streams_) {
    if (s.opened == 0)
      continue;
    if (s.slow)
      slow_.lost += s.check.missing(0);
    else
      counter_.close_owed(s.check, s.opened);
    // Here, not by the destructor: the descriptor means something to this thread only.
    s.socket.close();
  }
}

} // namespace herald::bench
