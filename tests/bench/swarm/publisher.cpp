#include "tests/bench/swarm/publisher.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <optional>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/bench/swarm/complaints.hpp"
#include "tests/bench/swarm/http_head.hpp"

namespace herald::bench {

namespace {

constexpr nanos longest_wait = second / 10;
constexpr nanos time_to_end = 60 * second;

/// The status of a whole answer; nothing while some of it is missing.
std::optional<http_head> whole_answer(std::string_view bytes) {
  const auto head = find_http_head(bytes);
  if (!head)
    return std::nullopt;
  const auto body = bytes.substr(head->bytes);
  const bool last_chunk = body == "0\r\n\r\n" || body.ends_with("\r\n0\r\n\r\n");
  const bool whole = head->chunked ? last_chunk : body.size() >= head->content_length.value_or(0);
  return whole ? head : std::nullopt;
}

} // namespace

struct publisher::connection {
  descriptor socket;
  std::string out;
  std::size_t sent = 0;
  std::string in;
  bool busy = false;
  nanos began = 0;
  nanos idle_since = 0;

  /// The event that it is at, and how far.
  nanos event_at = 0;
  event_number event = 0;
  std::size_t step = 0;
};

publisher::publisher(
  const publish_settings& settings, progress& run, std::function<void()> measuring_begins)
  : settings_(settings),
    run_(run),
    measuring_begins_(std::move(measuring_begins)),
    requests_(settings),
    pace_(settings, now()),
    give_up_at_(now() + from_seconds(settings.warmup_s + settings.duration_s) + time_to_end) {
  for (std::size_t i = 0; i < settings.connections; ++i) {
    auto& c = *connections_.emplace_back(std::make_unique<connection>());
    c.socket = connect_to(settings.port);
    c.idle_since = now();
    sockets_.add(c.socket.get(), EPOLLIN, &c);
  }
  sockets_.add(run_.wake_descriptor(), EPOLLIN, nullptr);
}

publisher::~publisher() = default;

void publisher::publish_all() {
  while (busy_ > 0 || !pace_.finished(now())) {
    if (now() > give_up_at_) {
      complain("publishing did not end in time");
      tally_.aborted = true;
      break;
    }
    publish_what_is_due();
    wait();
  }
  tally_.ended = now();
}

void publisher::publish_what_is_due() {
  while (auto* const idle = find_idle()) {
    const auto at = now();
    if (pace_.finished(at) || !may_publish(at))
      return;
    publish(*idle, at);
  }
}

bool publisher::may_publish(nanos at) {
  if (at < pace_.due() || (settings_.mode == pacing::closed && busy_ > 0))
    return false;
  const auto wanted = pace_.deliveries_wanted(run_.owed_each());
  if (!wanted || !run_.wake_at(*wanted))
    return true;
  if (!pace_.out_of_patience(at))
    return false;
  ++tally_.impatient;
  pace_.give_up(run_.delivered());
  return true;
}

/// When an event counts as published. One that found all connections busy when it was due waited
/// for the server, and that is part of its latency.
nanos publisher::sent_at(nanos at) const {
  if (settings_.mode != pacing::rate)
    return at;
  auto idle_since = std::numeric_limits<nanos>::max();
  for (const auto& c : connections_)
    if (!c->busy)
      idle_since = std::min(idle_since, c->idle_since);
  return idle_since > pace_.due() ? pace_.due() : at;
}

void publisher::publish(connection& c, nanos at) {
  const auto sent = sent_at(at);
  if (sent != at)
    ++tally_.late;
  c.event_at = sent;
  c.event = run_.published.last() + 1;
  c.step = 0;
  if (pace_.publish(at, run_.owed_each())) {
    run_.measured_from.store(c.event);
    measuring_begins_();
    tally_.measured_since = now();
    run_.measured_since.store(tally_.measured_since);
    // Looking at the server took time that is not the server's.
    if (sent == at)
      c.event_at = tally_.measured_since;
  }
  tally_.events += settings_.batch;
  if (tally_.measured_since != 0)
    tally_.measured_events += settings_.batch;
  c.busy = true;
  ++busy_;
  run_.published.append(now(), settings_.batch);
  send_step(c);
}

void publisher::send_step(connection& c) {
  requests_.make(c.out, c.step, c.event_at, c.event);
  c.sent = 0;
  c.began = now();
  ++tally_.requests;
  send_rest(c);
  if (c.sent < c.out.size())
    sockets_.change(c.socket.get(), EPOLLIN | EPOLLOUT, &c);
}

void publisher::send_rest(connection& c) {
  const auto got =
    ::send(c.socket.get(), c.out.data() + c.sent, c.out.size() - c.sent, MSG_NOSIGNAL);
  // An error shows when the answer is read.
  if (got > 0)
    c.sent += static_cast<std::size_t>(got);
}

void publisher::wait() {
  auto longest = longest_wait;
  if (find_idle() != nullptr) {
    const auto at = now();
    if (settings_.mode == pacing::rate)
      longest = std::min(longest, std::max(pace_.due(), at) - at);
    else if (settings_.mode == pacing::flat && settings_.window == 0 && !pace_.finished(at))
      longest = 0;
  }
  std::array<epoll_event, 64> events{};
  const timespec limit{0, static_cast<long>(longest)};
  const auto count =
    ::epoll_pwait2(sockets_.get(), events.data(), static_cast<int>(events.size()), &limit, nullptr);
  for (int i = 0; i < count; ++i) {
    const auto& event = events.at(static_cast<std::size_t>(i));
    if (event.data.ptr == nullptr) {
      run_.clear_wake();
      continue;
    }
    auto& c = *static_cast<connection*>(event.data.ptr);
    if ((event.events & EPOLLOUT) != 0) {
      send_rest(c);
      if (c.sent == c.out.size())
        sockets_.change(c.socket.get(), EPOLLIN, &c);
    }
    if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
      readable(c);
  }
}

void publisher::readable(connection& c) {
  std::array<char, 16384> buffer;
  const auto got = ::recv(c.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got > 0)
    c.in.append(buffer.data(), static_cast<std::size_t>(got));
  const auto answer = whole_answer(c.in);
  const bool gone = got <= 0 || (answer && answer->close);
  if (gone)
    reconnect(c);
  if (c.busy && answer)
    answered(c, answer->status);
  else if (c.busy && gone)
    answered(c, 0);
}

void publisher::answered(connection& c, int status) {
  const auto at = now();
  if (tally_.measured_since != 0) {
    tally_.round_trip.add(at - c.began);
    ++tally_.measured_answers;
  }
  if (status / 100 == 2) {
    ++tally_.answered;
  } else {
    ++tally_.failed;
    tally_.failed_status = status;
    complain("a request was answered with status " + std::to_string(status) + " " + c.in);
  }
  c.in.clear();
  if (++c.step < requests_.steps()) {
    send_step(c);
    return;
  }
  c.busy = false;
  c.idle_since = at;
  --busy_;
}

void publisher::reconnect(connection& c) {
  ++tally_.reconnects;
  c.socket = connect_to(settings_.port);
  sockets_.add(c.socket.get(), EPOLLIN, &c);
}

publisher::connection* publisher::find_idle() {
  if (busy_ == connections_.size())
    return nullptr;
  const auto idle =
    std::find_if(connections_.begin(), connections_.end(), [](const auto& c) { return !c->busy; });
  return idle->get();
}

} // namespace herald::bench
