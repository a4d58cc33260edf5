#include "http/streams/head_clients.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/protocol/problem.hpp"
#include "http/protocol/request_line.hpp"

namespace herald {

namespace {

/// How long, and how many bytes of what it still sends, an answered client may take to close. A
/// socket that is closed with unread bytes is reset, and the answer may be lost.
constexpr std::chrono::seconds lingering_time{2};
constexpr std::size_t lingering_bytes = std::size_t{64} * 1024;
/// Read at once; a head may be longer, in several reads.
constexpr std::size_t read_bytes = 8192;

api_reply refusal_of(head_sink::failure why, const head_limits& limits) {
  switch (why) {
  case head_sink::failure::malformed:
    return problem({400, "Malformed request"}, "this is not the head of an HTTP request");
  case head_sink::failure::unsupported_version:
    return problem(failure{ec::unsupported_version, other_version, {}});
  case head_sink::failure::line_too_long:
    return problem(failure{ec::target_too_long, line_too_long, {}});
  case head_sink::failure::too_large:
    return problem(
      {431, "Request head too large"},
      "the head of a request may have at most " + std::to_string(limits.bytes) + " bytes");
  case head_sink::failure::timed_out:
    return problem(
      {408, "Request timed out"},
      "the head of a request must be here after " + std::to_string(limits.time.count()) + " ms");
  case head_sink::failure::crowded_out:
    break;
  }
  return problem({408, "Request timed out"}, "too many clients are sending their requests");
}

bool is_gone(ssize_t result) {
  return result == 0 || (result < 0 && errno != EAGAIN && errno != EINTR);
}

} // namespace

head_clients::head_clients(
  const head_limits& limits, socket_set& sockets, std::uint32_t kind, head_sink& sink)
  : limits_(limits),
    sockets_(sockets),
    kind_(kind),
    sink_(sink) {}

head_clients::~head_clients() {
  for (const auto& c : clients_)
    if (c.fd >= 0)
      ::close(c.fd);
}

void head_clients::add(int fd, std::size_t room, time_point now) {
  if (size_ >= room)
    crowd_out(now);
  index who = 0;
  if (free_.empty()) {
    who = static_cast<index>(clients_.size());
    clients_.emplace_back();
  } else {
    who = free_.back();
    free_.pop_back();
  }
  auto& c = clients_[who];
  c.fd = fd;
  c.now = phase::reading;
  ++size_;
  const auto generation = c.generation;
  read(who, now);
  if (c.generation != generation)
    return;
  if (watch(who, false))
    reading_.push_back({now + limits_.time, who, generation});
  else
    end(who);
}

void head_clients::on_event(const socket_event& event, time_point now) {
  const auto who = event.tag.index;
  switch (clients_[who].now) {
  case phase::free:
    return;
  case phase::reading:
    return read(who, now);
  case phase::answering:
    return (event.what & (EPOLLHUP | EPOLLERR)) != 0 ? end(who) : write(who);
  case phase::lingering:
    return discard(who);
  }
}

void head_clients::read(index who, time_point now) {
  auto& c = clients_[who];
  std::array<char, read_bytes> bytes; // NOLINT: written by recv
  const auto count = ::recv(c.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (is_gone(count))
    return end(who);
  if (count < 0)
    return;
  // One that is complete at once is never kept.
  std::optional<head_reader> fresh;
  auto& reader = c.reader ? *c.reader : fresh.emplace(limits_.bytes);
  switch (reader.feed({bytes.data(), static_cast<std::size_t>(count)})) {
  case head_reader::state::more:
    if (fresh)
      c.reader.emplace(std::move(*fresh));
    return;
  case head_reader::state::malformed:
    return refuse(who, head_sink::failure::malformed, now);
  case head_reader::state::unsupported_version:
    return refuse(who, head_sink::failure::unsupported_version, now);
  case head_reader::state::line_too_long:
    return refuse(who, head_sink::failure::line_too_long, now);
  case head_reader::state::too_large:
    return refuse(who, head_sink::failure::too_large, now);
  case head_reader::state::complete:
    break;
  }
  const auto& request = reader.request();
  if (const auto reply = sink_.on_head({c.fd, c.watched}, request))
    answer(who, *reply, request.method != "HEAD", now);
  else
    release(who);
}

void head_clients::refuse(index who, head_sink::failure why, time_point now) {
  auto reply = refusal_of(why, limits_);
  const auto more = sink_.on_bad_head(why);
  reply.headers.insert(reply.headers.end(), more.begin(), more.end());
  answer(who, reply, true, now);
}

void head_clients::answer(index who, const api_reply& reply, bool with_body, time_point now) {
  auto& c = clients_[who];
  c.answer = render_reply(reply, with_body);
  c.reader.reset();
  c.now = phase::answering;
  // Another generation: the deadline for reading is not meant for what follows.
  ++c.generation;
  ending_.push_back({now + lingering_time, who, c.generation});
  write(who);
}

void head_clients::write(index who) {
  auto& c = clients_[who];
  const auto count = ::send(c.fd, c.answer.data(), c.answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EINTR)
    return end(who);
  if (count > 0)
    c.answer.erase(0, static_cast<std::size_t>(count));
  const bool more = !c.answer.empty();
  if (!more) {
    ::shutdown(c.fd, SHUT_WR);
    c.now = phase::lingering;
  }
  if (!watch(who, more))
    end(who);
}

/// False if the kernel has no room for one that is not watched yet.
bool head_clients::watch(index who, bool writable) {
  auto& c = clients_[who];
  if (!c.watched && !sockets_.add(c.fd, {kind_, who}))
    return false;
  if (std::exchange(c.watched, true) || writable)
    sockets_.watch(c.fd, {kind_, who}, writable);
  return true;
}

void head_clients::discard(index who) {
  auto& c = clients_[who];
  std::array<char, read_bytes> bytes; // NOLINT: written by recv
  const auto count = ::recv(c.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count > 0)
    c.discarded += static_cast<std::size_t>(count);
  if (is_gone(count) || c.discarded > lingering_bytes)
    end(who);
}

void head_clients::expire(time_point now) {
  // What is settled by now leaves its deadline behind; it goes with the rest, long before its time.
  for (; !reading_.empty(); reading_.pop_front()) {
    const auto& first = reading_.front();
    if (!is_due(first, phase::reading))
      continue;
    if (first.when > now)
      break;
    refuse(first.who, head_sink::failure::timed_out, now);
  }
  for (; !ending_.empty(); ending_.pop_front()) {
    const auto& first = ending_.front();
    if (first.generation != clients_[first.who].generation)
      continue;
    if (first.when > now)
      break;
    end(first.who);
  }
}

/// Ends the client that has been here for longest; an answer that it does not take at once is lost.
void head_clients::crowd_out(time_point now) {
  for (; !ending_.empty(); ending_.pop_front())
    if (const auto due = ending_.front(); due.generation == clients_[due.who].generation) {
      ending_.pop_front();
      return end(due.who);
    }
  for (; !reading_.empty(); reading_.pop_front())
    if (const auto due = reading_.front(); is_due(due, phase::reading)) {
      reading_.pop_front();
      refuse(due.who, head_sink::failure::crowded_out, now);
      if (clients_[due.who].now != phase::free)
        end(due.who);
      return;
    }
}

bool head_clients::is_due(const deadline& what, phase expected) const {
  const auto& c = clients_[what.who];
  return c.generation == what.generation && c.now == expected;
}

int head_clients::release(index who) {
  auto& c = clients_[who];
  const auto fd = std::exchange(c.fd, -1);
  c.watched = false;
  c.now = phase::free;
  ++c.generation;
  c.reader.reset();
  std::string{}.swap(c.answer);
  c.discarded = 0;
  free_.push_back(who);
  --size_;
  return fd;
}

void head_clients::end(index who) {
  ::close(release(who));
}

} // namespace herald
