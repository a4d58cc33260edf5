#include "http/streams/pending_clients.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "actors/system/owned_fd.hpp"
#include "http/admission/proxy_header.hpp"
#include "http/admission/stream_request_check.hpp"
#include "http/protocol/http_reply.hpp"
#include "http/protocol/problem.hpp"

namespace herald {

namespace {

/// How long, and how many bytes of what it still sends, an answered client may take to close. A
/// socket that is closed with unread bytes is reset, and the answer may be lost.
constexpr std::chrono::seconds lingering_time{2};
constexpr std::size_t lingering_bytes = std::size_t{64} * 1024;
/// Read at once; a head may be longer, in several reads.
constexpr std::size_t read_bytes = std::size_t{16} * 1024;

bool is_gone(ssize_t result) {
  return result == 0 || (result < 0 && errno != EAGAIN && errno != EINTR);
}

} // namespace

pending_clients::pending_clients(
  const pending_limits& limits, socket_set& sockets, std::uint32_t kind, request_sink& sink)
  : limits_(limits),
    sockets_(sockets),
    kind_(kind),
    sink_(sink) {}

pending_clients::~pending_clients() {
  for (const auto& c : clients_)
    owned_fd{c.fd}.close();
}

void pending_clients::add(
  int fd, std::size_t room, time_point now, std::string_view read, bool proxied) {
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
  c.proxied = proxied;
  ++size_;
  const auto generation = c.generation;
  if (read.empty())
    this->read(who, now);
  else
    take(who, read, now);
  if (c.generation != generation)
    return;
  if (watch(who, false))
    reading_.push_back({now + limits_.head_time, who, generation});
  else
    close_client(who);
}

void pending_clients::on_event(const socket_event& event, time_point now) {
  const auto who = event.tag.index;
  switch (clients_[who].now) {
  case phase::free:
    return;
  case phase::reading:
    return read(who, now);
  case phase::answering:
    return (event.what & (EPOLLHUP | EPOLLERR)) != 0 ? close_client(who) : write(who);
  case phase::lingering:
    return discard(who);
  }
}

void pending_clients::read(index who, time_point now) {
  const auto& c = clients_[who];
  std::array<char, read_bytes> bytes; // NOLINT: written by recv
  const auto count = ::recv(c.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (is_gone(count))
    return close_client(who);
  if (count < 0)
    return;
  take(who, {bytes.data(), static_cast<std::size_t>(count)}, now);
}

void pending_clients::take(index who, std::string_view input, time_point now) {
  auto& c = clients_[who];
  if (!c.unread.empty())
    input = c.unread.append(input);
  if (c.proxied && !take_proxy_header(who, input, now))
    return;
  if (!c.parser)
    c.parser.emplace(request_limits{limits_.head_bytes, limits_.head_bytes});
  const auto used = c.parser->read(input);
  if (c.parser->now() == request_parser::state::head) {
    c.unread = std::string{input.substr(used)};
    return;
  }
  if (c.parser->now() == request_parser::state::refused) {
    const auto why = c.parser->refusal();
    return refuse(who, why, why.code, now);
  }
  // Of a body nothing is read.
  const auto& request = c.parser->head();
  if (const auto reply = sink_.on_request({c.fd, c.watched, input.substr(used), c.named}, request))
    answer(who, *reply, request.method != "HEAD", now);
  else
    release(who);
}

/// Takes the header off the input. False where the request does not follow yet, or never will.
bool pending_clients::take_proxy_header(index who, std::string_view& input, time_point now) {
  auto& c = clients_[who];
  const auto header = read_proxy_header(input);
  if (header.now == proxy_header::state::incomplete) {
    c.unread = std::string{input};
    return false;
  }
  if (header.now == proxy_header::state::malformed) {
    const failure why{
      ec::malformed_request,
      "a connection of a trusted proxy begins with a header of the PROXY protocol, version 2 "
      "(stream.proxy_protocol)",
      {}};
    refuse(who, why, why.code, now);
    return false;
  }
  c.proxied = false;
  c.named = header.client;
  input.remove_prefix(header.bytes);
  return true;
}

void pending_clients::refuse(index who, const failure& why, ec told, time_point now) {
  auto reply = problem(why);
  add_cors(reply, sink_.on_refusal(told));
  const auto& parser = clients_[who].parser;
  answer(who, reply, !parser || parser->head().method != "HEAD", now);
}

void pending_clients::answer(index who, const api_reply& reply, bool with_body, time_point now) {
  auto& c = clients_[who];
  c.answer = render_reply(reply, with_body);
  c.parser.reset();
  std::string{}.swap(c.unread);
  c.now = phase::answering;
  // Another generation: the deadline for reading is not meant for what follows.
  ++c.generation;
  ending_.push_back({now + lingering_time, who, c.generation});
  write(who);
}

void pending_clients::write(index who) {
  auto& c = clients_[who];
  const auto count = ::send(c.fd, c.answer.data(), c.answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EINTR)
    return close_client(who);
  if (count > 0)
    c.answer.erase(0, static_cast<std::size_t>(count));
  const bool more = !c.answer.empty();
  if (!more) {
    ::shutdown(c.fd, SHUT_WR);
    c.now = phase::lingering;
  }
  if (!watch(who, more))
    close_client(who);
}

/// False if the kernel has no room for one that is not watched yet.
bool pending_clients::watch(index who, bool writable) {
  auto& c = clients_[who];
  if (!c.watched && !sockets_.add(c.fd, {kind_, who}))
    return false;
  if (std::exchange(c.watched, true) || writable)
    sockets_.watch(c.fd, {kind_, who}, writable);
  return true;
}

void pending_clients::discard(index who) {
  auto& c = clients_[who];
  std::array<char, read_bytes> bytes; // NOLINT: written by recv
  const auto count = ::recv(c.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count > 0)
    c.discarded += static_cast<std::size_t>(count);
  if (is_gone(count) || c.discarded > lingering_bytes)
    close_client(who);
}

void pending_clients::expire(time_point now) {
  // A client that has gone on leaves its deadline behind; that goes with the rest, long before its
  // time.
  for (; !reading_.empty(); reading_.pop_front()) {
    const auto& first = reading_.front();
    if (!is_due(first, phase::reading))
      continue;
    if (first.when > now)
      break;
    refuse(first.who, head_timed_out(limits_.head_time), ec::request_timed_out, now);
  }
  for (; !ending_.empty(); ending_.pop_front()) {
    const auto& first = ending_.front();
    if (first.generation != clients_[first.who].generation)
      continue;
    if (first.when > now)
      break;
    close_client(first.who);
  }
}

/// Ends the client that has been here for longest; an answer that it does not take at once is lost.
void pending_clients::crowd_out(time_point now) {
  for (; !ending_.empty(); ending_.pop_front())
    if (const auto due = ending_.front(); due.generation == clients_[due.who].generation) {
      ending_.pop_front();
      return close_client(due.who);
    }
  for (; !reading_.empty(); reading_.pop_front())
    if (const auto due = reading_.front(); is_due(due, phase::reading)) {
      const failure crowded_out{
        ec::request_timed_out, "too many clients are sending their requests", {}};
      reading_.pop_front();
      refuse(due.who, crowded_out, ec::overloaded, now);
      if (clients_[due.who].now != phase::free)
        close_client(due.who);
      return;
    }
}

bool pending_clients::is_due(const deadline& what, phase expected) const {
  const auto& c = clients_[what.who];
  return c.generation == what.generation && c.now == expected;
}

int pending_clients::release(index who) {
  auto& c = clients_[who];
  const auto fd = std::exchange(c.fd, -1);
  c.watched = false;
  c.proxied = false;
  c.named.reset();
  c.now = phase::free;
  ++c.generation;
  c.parser.reset();
  std::string{}.swap(c.unread);
  std::string{}.swap(c.answer);
  c.discarded = 0;
  free_.push_back(who);
  --size_;
  return fd;
}

void pending_clients::close_client(index who) {
  // As of streams: it may be open elsewhere.
  if (clients_[who].watched)
    sockets_.remove(clients_[who].fd);
  owned_fd{release(who)}.close();
}

} // namespace herald
