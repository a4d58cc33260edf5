#include "http/server/api_lobby.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <iterator>
#include <new>
#include <system_error>

#include <poll.h>
#include <sys/epoll.h>

#include "actors/system/signals_blocked.hpp"
#include "actors/telemetry/log.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;

/// A client that goes by the time that it was told does not find its connection just closed.
constexpr auto idle_grace = 1s;
/// Whoever is under way when the server stops has so much time left.
constexpr auto stop_grace = 1s;
/// How long, and how much, a refused peer may still send.
constexpr auto drain_time = 2s;
constexpr std::size_t drain_bytes = std::size_t{64} * 1024 * 1024;
/// A request is not too slow before it had a second.
constexpr double slow_after_s = 1;
/// To look for slow requests costs a look at all.
constexpr auto room_interval = 20ms;
/// Where bytes are short, requests with fewer are left alone.
constexpr std::size_t small_request = 4096;

/// Kinds of `socket_tag`.
constexpr std::uint32_t wakeup = 0;
constexpr std::uint32_t guest = 1;

socket_tag tag_of(int fd) {
  return {guest, static_cast<std::uint32_t>(fd)};
}

} // namespace

api_lobby::api_lobby(const api_options& options, connection_places& places, events events)
  : options_(options),
    places_(places),
    events_(std::move(events)) {
  if (
    !sockets_.add(wake_.get(), {wakeup, 0}) || !sockets_.add(places_.emptied().get(), {wakeup, 1}))
    throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
}

api_lobby::~api_lobby() {
  if (thread_.joinable())
    thread_.join();
}

void api_lobby::start() {
  const signals_blocked meanwhile;
  thread_ = std::thread([this] { run(); });
}

void api_lobby::take(api_connection_ptr arrival) {
  {
    const std::lock_guard lock{mutex_};
    arrivals_.push_back(std::move(arrival));
  }
  wake_.raise();
}

void api_lobby::stop() {
  if (!thread_.joinable())
    return;
  places_.announce_end();
  stopping_ = true;
  wake_.raise();
  thread_.join();
}

void api_lobby::run() {
  while (!stopping_ || !places_.empty()) {
    try {
      wait();
      let_in();
      if (stopping_ && last_call_ == clock::time_point::max())
        hurry();
      expire();
      if (const auto now = clock::now(); now >= next_room_) {
        next_room_ = now + room_interval;
        make_room();
        make_room_for_bytes();
      }
    } catch (const std::bad_alloc&) {
      // The next round may have some.
    } catch (const std::exception& e) {
      log::error("api", "lobby_failed", {{"what", e.what()}});
    }
  }
}

/// What fails for one connection, as memory that is out does, ends that one.
template <class Step>
void api_lobby::guarded(int fd, Step step) {
  try {
    return step();
  } catch (const std::bad_alloc&) {
    // Not even a line of the log.
    if (const auto at = seats_.find(fd); at != seats_.end())
      events_.memory_is_out(*at->second.guest);
  } catch (const std::exception& e) {
    log::error("api", "connection_failed", {{"what", e.what()}});
  }
  if (const auto at = seats_.find(fd); at != seats_.end())
    release(at);
}

/// For something to happen, and attends to it.
void api_lobby::wait() {
  pollfd source{sockets_.descriptor(), POLLIN, 0};
  auto limit = deadlines_.empty() ? clock::time_point::max() : deadlines_.begin()->first;
  // Who is not too slow now will be.
  if (places_.beyond() > 0 || places_.bytes_beyond() > 0)
    limit = std::min(limit, std::max(next_room_, clock::now()));
  if (::poll(&source, 1, milliseconds_until(limit)) <= 0)
    return;
  for (const auto& event : sockets_.take()) {
    if (event.tag.kind == wakeup) {
      (event.tag.index == 0 ? wake_ : places_.emptied()).lower();
      continue;
    }
    // One that was let go for another's sake is not here any more.
    const int fd = static_cast<int>(event.tag.index);
    if (const auto at = seats_.find(fd); at != seats_.end())
      guarded(fd, [&] { attend(at); });
  }
}

void api_lobby::let_in() {
  std::vector<api_connection_ptr> arrived;
  {
    const std::lock_guard lock{mutex_};
    arrived.swap(arrivals_);
  }
  for (auto& arrival : arrived) {
    const int fd = arrival->socket.descriptor();
    guarded(fd, [&] { seat_down(fd, std::move(arrival)); });
  }
}

void api_lobby::seat_down(int fd, api_connection_ptr arrival) {
  // A socket that cannot be watched ends here.
  if (!sockets_.add(fd, tag_of(fd)))
    return;
  const auto at = seats_.try_emplace(fd).first;
  at->second.guest = std::move(arrival);
  if (!at->second.guest->socket.has_output())
    return go_on(at);
  at->second.now = doing::writing;
  set_deadline(at, clock::now() + options_.write_timeout);
  write(at);
}

/// The server stops: who is idle goes, the others have little time left.
void api_lobby::hurry() {
  last_call_ = clock::now() + stop_grace;
  for (auto at = seats_.begin(); at != seats_.end();) {
    const auto next = std::next(at);
    if (is_idle(at->second))
      release(at);
    else
      set_deadline(at, at->second.deadline);
    at = next;
  }
}

void api_lobby::attend(seats::iterator at) {
  switch (at->second.now) {
  case doing::reading:
    return read(at);
  case doing::writing:
    return write(at);
  case doing::draining:
    return drain(at);
  }
}

void api_lobby::read(seats::iterator at) {
  auto& taken = at->second;
  switch (taken.guest->read()) {
  case request_reader::outcome::complete:
    return events_.complete(release(at));
  case request_reader::outcome::elsewhere:
    return events_.elsewhere(release(at));
  case request_reader::outcome::refused:
    return refuse_request(at);
  case request_reader::outcome::gone:
    release(at);
    return;
  case request_reader::outcome::unfinished:
    return set_deadline(
      at, taken.guest->reader.deadline().value_or(
            taken.guest->since + taken.guest->by->keep_alive_timeout + idle_grace));
  }
}

void api_lobby::write(seats::iterator at) {
  switch (at->second.guest->socket.flush()) {
  case api_socket::output::written:
    return go_on(at);
  case api_socket::output::failed:
    release(at);
    return;
  case api_socket::output::blocked:
    // Not for its end as well: a peer that has said all may still read.
    sockets_.watch_room(at->first, tag_of(at->first));
  }
}

void api_lobby::drain(seats::iterator at) {
  auto& taken = at->second;
  const auto got = taken.guest->socket.fill();
  if (got == api_socket::input::nothing)
    return;
  const auto bytes = taken.guest->socket.buffered().size();
  taken.drained += bytes;
  taken.guest->socket.consume(bytes);
  if (got == api_socket::input::ended || taken.drained > drain_bytes)
    release(at);
}

/// All output is written.
void api_lobby::go_on(seats::iterator at) {
  auto& taken = at->second;
  switch (taken.guest->then) {
  case api_connection::ending::close:
    release(at);
    return;
  case api_connection::ending::drain:
    taken.guest->socket.end_output();
    taken.guest->place.hold(0);
    taken.now = doing::draining;
    sockets_.watch(at->first, tag_of(at->first), false);
    set_deadline(at, clock::now() + drain_time);
    return drain(at);
  case api_connection::ending::none:
    break;
  }
  if (taken.now == doing::writing)
    sockets_.watch(at->first, tag_of(at->first), false);
  taken.now = doing::reading;
  if (stopping_ && !taken.guest->reader.begun() && taken.guest->socket.buffered().empty())
    release(at);
  else
    read(at);
}

void api_lobby::expire() {
  const auto now = clock::now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const int fd = deadlines_.begin()->second;
    guarded(fd, [&] {
      const auto at = seats_.find(fd);
      const auto& guest = *at->second.guest;
      if (
        at->second.now != doing::reading
        || at->second.guest->reader.expire(guest.socket) == request_reader::outcome::gone)
        release(at);
      else
        refuse_request(at);
    });
  }
}

/// Its reader says why.
void api_lobby::refuse_request(seats::iterator at) {
  const failure why = at->second.guest->reader.refusal();
  refuse(at, api_connection::ending::drain, why, to_string(why.code));
}

/// Answers, and goes on with what follows.
void api_lobby::refuse(
  seats::iterator at, api_connection::ending then, const failure& why, std::string_view reason) {
  auto& taken = at->second;
  taken.guest->then = then;
  events_.refuse(*taken.guest, why, reason);
  taken.now = doing::writing;
  set_deadline(at, clock::now() + options_.write_timeout);
  write(at);
}

void api_lobby::set_deadline(seats::iterator at, clock::time_point deadline) {
  deadlines_.erase({at->second.deadline, at->first});
  at->second.deadline = std::min(deadline, last_call_);
  deadlines_.insert({at->second.deadline, at->first});
}

/// Whoever does not keep it ends the connection.
api_connection_ptr api_lobby::release(seats::iterator at) {
  sockets_.remove(at->first);
  deadlines_.erase({at->second.deadline, at->first});
  auto guest = std::move(at->second.guest);
  seats_.erase(at);
  return guest;
}

bool api_lobby::is_idle(const seat& taken) const {
  return taken.now == doing::reading && !taken.guest->reader.begun();
}

/// Those that read a request by how many bytes they are behind the least rate, the furthest first.
/// Not those that are idle after an answer.
std::vector<std::pair<double, int>> api_lobby::by_progress() const {
  const auto now = clock::now();
  const auto rate = static_cast<double>(options_.min_rate_bytes);
  std::vector<std::pair<double, int>> slow;
  for (const auto& [fd, taken] : seats_) {
    if (taken.now != doing::reading || (is_idle(taken) && taken.guest->answered))
      continue;
    const std::chrono::duration<double> age = now - taken.guest->since;
    const auto come = static_cast<double>(taken.guest->place.held());
    slow.emplace_back(rate * age.count() - come, fd);
  }
  std::sort(slow.rbegin(), slow.rend());
  return slow;
}

void api_lobby::make_room() {
  if (places_.scarce())
    end_drains();
  auto wanted = places_.beyond();
  if (wanted == 0)
    return;
  const double grace = places_.scarce() ? 0 : slow_after_s;
  for (const auto& [behind, fd] : by_progress()) {
    if (wanted-- == 0 || behind <= grace * static_cast<double>(options_.min_rate_bytes))
      return;
    guarded(fd, [&, slow = fd] {
      refuse(
        seats_.find(slow), api_connection::ending::close,
        {ec::request_timed_out,
         "others wait for this connection, and its request comes too slowly",
         {}},
        "crowded_out");
    });
  }
}

/// They have their answer.
void api_lobby::end_drains() {
  for (auto at = seats_.begin(); at != seats_.end();) {
    const auto next = std::next(at);
    if (at->second.now == doing::draining)
      release(at);
    at = next;
  }
}

void api_lobby::make_room_for_bytes() {
  if (places_.bytes_beyond() == 0)
    return;
  for (const auto& [behind, fd] : by_progress()) {
    const auto at = seats_.find(fd);
    if (at->second.guest->place.held() < small_request)
      continue;
    guarded(fd, [&] {
      refuse(
        at, api_connection::ending::drain,
        {ec::overloaded, "the requests under way have too many bytes together", {}},
        "bytes_exceeded");
    });
    if (places_.bytes_beyond() == 0)
      return;
  }
}

} // namespace herald
