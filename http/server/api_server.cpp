#include "http/server/api_server.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "actors/telemetry/log.hpp"
#include "http/protocol/http_reply.hpp"
#include "http/protocol/http_url.hpp"
#include "http/protocol/problem.hpp"
#include "http/sockets/descriptor_table.hpp"
#include "http/sockets/host_address.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;
using clock = api_socket::clock;
using wakeup = api_socket::event;

constexpr auto thread_linger = 5s;
/// How long a thread stays with a connection that asks nothing.
constexpr auto thread_stay = 1s;
/// Health checks are quick, and metrics are few.
constexpr std::size_t reserved_threads = 4;

failure too_many_connections() {
  return {ec::overloaded, "too many connections", {}};
}

/// What is told here is for who asked, now, and never a page or a script.
void add_common_headers(api_reply& reply) {
  reply.headers.emplace_back("Cache-Control", "no-store");
  reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
}

prometheus::Counter& refusals(metrics& numbers, std::string_view reason) {
  return numbers.counter(
    "herald_api_rejected_total", "API requests and connections refused before they were routed.",
    {{"reason", std::string(reason)}});
}

bool are_loopback(const std::vector<std::string>& addresses) {
  return std::all_of(addresses.begin(), addresses.end(), [](const std::string& address) {
    return is_loopback(address);
  });
}

/// Of a process that may open so many files.
place_limits limits_of(const api_options& options, std::size_t descriptors) {
  const auto wanted = options.max_connections + options.max_waiting_connections;
  // Where streams have no table of descriptors of their own they share this one.
  const auto room = std::max<std::size_t>(descriptors / 2, 1);
  if (room < wanted)
    log::info("api", "max_connections_lowered", {{"wanted", wanted}, {"max_connections", room}});
  return {
    std::min(wanted, room), options.reserved_connections, options.max_connections_per_address,
    options.max_request_bytes};
}

} // namespace

api_server::api_server(
  api_options options, const router& routes, metrics& numbers,
  std::optional<api_side_door> side_door, api_access* access)
  : options_(std::move(options)),
    metrics_(numbers),
    access_(access),
    max_body_bytes_(options_.max_body_bytes),
    out_of_memory_(refusals(numbers, "out_of_memory")),
    // Before it is known where it listens; nobody comes yet.
    front_(
      routes, numbers, access, request_guard{options_, true},
      reading([this](const request_head& head, int descriptor) {
        return refusal_before_body(front_, head, descriptor);
      }),
      options_.keep_alive_timeout),
    places_(limits_of(options_, raise_descriptor_limit()), numbers),
    lobby_(
      options_, places_,
      {[this](api_connection_ptr client) { on_request(std::move(client)); },
       [this](api_connection_ptr client) { give_back(std::move(client)); },
       [this](api_connection& client, const failure& why, std::string_view reason) {
         refuse(client, why, reason);
       },
       [this](const api_connection& client) {
         say_memory_is_out(client);
       }}),
    threads_({options_.max_connections, options_.max_waiting_connections, thread_linger}, numbers),
    reserved_threads_({reserved_threads, options_.max_waiting_connections, thread_linger}, numbers),
    httplib_(options_, [this](int descriptor) { on_client(descriptor, {}, front_); }),
    exposed_(!are_loopback(httplib_.addresses())),
    exposed_gauge_(numbers.gauge(
      "herald_api_exposed",
      "1 where others than this machine reach the API, which asks nobody who they are.")) {
  front_.guard.replace({options_, !exposed_});
  if (side_door) {
    auto rules = reading([this](const request_head& head, int descriptor) {
      return refusal_before_body(*side_, head, descriptor);
    });
    rules.takes = std::move(side_door->takes);
    side_.emplace(
      *side_door->routes, numbers, access,
      request_guard{options_.origins, std::move(side_door->hosts), side_door->hosts_setting, false},
      std::move(rules), side_door->keep_alive_timeout);
    side_->give_back = std::move(side_door->give_back);
  }
  exposed_gauge_.Set(asks_nobody() ? 1 : 0);
  // There from the start: an alert on a rise sees the first one.
  for (const auto* reason : {"origin", "host", "crowded_out", "bytes_exceeded"})
    refusals(numbers, reason);
  for (const auto code :
       {ec::overloaded, ec::malformed_request, ec::request_timed_out, ec::target_too_long,
        ec::head_too_large, ec::body_too_large, ec::unsupported_encoding,
        ec::unsupported_expectation, ec::unsupported_coding, ec::unsupported_version})
    refusals(numbers, to_string(code));
}

api_server::~api_server() {
  stop();
}

void api_server::start() {
  if (asks_nobody())
    log::warning(
      "api", "exposed",
      {{"host", options_.host},
       {"what",
        "api.host is not a loopback address, and there are no api.keys: whoever reaches this port "
        "may publish, read who is connected, and start the programs of tasks.commands"}});
  lobby_.start();
  httplib_.start();
}

void api_server::reconfigure(const api_settings& settings) {
  max_body_bytes_ = settings.max_body_bytes;
  front_.guard.replace({settings, !exposed_});
  exposed_gauge_.Set(asks_nobody() ? 1 : 0);
}

void api_server::stop() {
  if (stopping_.exchange(true))
    return;
  wakeups_.stopping.raise();
  httplib_.stop();
  lobby_.stop();
  threads_.join();
  reserved_threads_.join();
}

reading_rules api_server::reading(decltype(reading_rules::refuses) refuses) const {
  return {&max_body_bytes_, options_.head_timeout, options_.body_timeout, {}, std::move(refuses)};
}

/// A page is told by the guard that it is one, once its request is there.
std::optional<api_reply>
api_server::refusal_before_body(api_door& by, const request_head& head, int descriptor) const {
  if (access_ == nullptr || !access_->active() || by.guard.read()->check(head))
    return std::nullopt;
  return by.dispatcher.refusal(head, address_of(descriptor));
}

client_address api_server::address_of(int descriptor) const {
  return access_ != nullptr && access_->active() ? peer_address(descriptor) : client_address{};
}

/// Whether others than this machine reach it, and may do everything.
bool api_server::asks_nobody() const {
  return exposed_ && (access_ == nullptr || !access_->has_keys());
}

void api_server::take_over(int descriptor, std::string read) {
  on_client(descriptor, std::move(read), *side_);
}

/// On the threads that accept, or the one that takes over.
void api_server::on_client(int descriptor, std::string read, api_door& by) {
  api_socket socket{descriptor, std::move(read)};
  try {
    const bool proxy = options_.is_proxy && options_.is_proxy(descriptor);
    if (auto place = places_.take(proxy ? std::nullopt : std::optional{peer_address(descriptor)}))
      lobby_.take(std::make_unique<api_connection>(
        std::move(socket), std::move(*place), by, options_.keep_alive_requests));
    else
      turn_away(std::move(socket));
  } catch (const std::bad_alloc&) {
    out_of_memory_.Increment();
    socket.say(out_of_memory_answer);
  }
}

void api_server::say_memory_is_out(const api_connection& client) {
  out_of_memory_.Increment();
  // Behind half an answer it would be part of that.
  if (!client.socket.has_output())
    client.socket.say(out_of_memory_answer);
}

void api_server::turn_away(api_socket socket) {
  count_refusal(to_string(ec::overloaded));
  auto reply = problem(too_many_connections());
  add_common_headers(reply);
  // No waiting here.
  socket.put(render_reply(reply));
  socket.flush();
}

/// On the lobby's thread.
void api_server::on_request(api_connection_ptr client) try {
  const bool reserved = client->by->dispatcher.is_reserved(client->reader.head());
  const bool admitted = reserved || !client->place.beyond() || places_.beyond() == 0;
  auto& pool = reserved ? reserved_threads_ : threads_;
  std::function<void()> job = [this, reserved, taken = client.get()] {
    serve(api_connection_ptr{taken}, !reserved);
  };
  if (admitted && pool.enqueue(job)) {
    // The job has it, and may be done with it.
    static_cast<void>(client.release());
    if (threads_.starving())
      wakeups_.make_room.raise();
    return;
  }
  client->then = api_connection::ending::close;
  refuse(*client, too_many_connections(), to_string(ec::overloaded));
  lobby_.take(std::move(client));
} catch (const std::bad_alloc&) {
  if (client)
    say_memory_is_out(*client);
}

/// The connection goes on elsewhere; here it ends without a word.
void api_server::give_back(api_connection_ptr client) {
  const auto& head = client->reader.head();
  const auto read = render_request_head(head).append(client->socket.buffered());
  if (client->by->give_back(client->socket.descriptor(), read))
    return;
  client->then = api_connection::ending::drain;
  refuse(*client, {ec::overloaded, "too many requests at once", {}}, to_string(ec::overloaded));
  lobby_.take(std::move(client));
}

/// On a thread for requests. `stays`: with the connection for a while.
void api_server::serve(api_connection_ptr client, bool stays) {
  try {
    switch (serve_requests(*client, stays)) {
    case left::waiting:
      return lobby_.take(std::move(client));
    case left::elsewhere:
      return give_back(std::move(client));
    case left::over:
      return;
    }
  } catch (const std::bad_alloc&) {
    // Not even a line of the log.
    if (client)
      say_memory_is_out(*client);
  } catch (const std::exception& e) {
    log::error("api", "connection_failed", {{"what", e.what()}});
  }
}

/// How a thread has left the connection.
api_server::left api_server::serve_requests(api_connection& client, bool stays) {
  while (true) {
    answer(client);
    const auto written = client.socket.flush();
    if (written == api_socket::output::failed)
      return left::over;
    if (written == api_socket::output::blocked || client.then != api_connection::ending::none)
      return left::waiting;
    auto outcome = client.read();
    while (outcome == request_reader::outcome::unfinished) {
      if (!stays || !await_next(client))
        return left::waiting;
      outcome = client.read();
    }
    if (outcome == request_reader::outcome::gone)
      return left::over;
    if (outcome == request_reader::outcome::elsewhere)
      return left::elsewhere;
    if (outcome == request_reader::outcome::refused) {
      const failure why = client.reader.refusal();
      client.then = api_connection::ending::drain;
      refuse(client, why, to_string(why.code));
      return left::waiting;
    }
  }
}

/// Whether there are bytes before the connection is to leave this thread.
bool api_server::await_next(api_connection& client) {
  if (places_.bytes_beyond() > 0)
    return false;
  auto deadline = clock::now() + thread_stay;
  if (const auto limit = client.reader.deadline())
    deadline = std::min(deadline, *limit);
  while (true) {
    const auto next = client.socket.wait(wakeups_, deadline);
    // A token may be left from when others waited.
    if (next == wakeup::make_room && !threads_.starving())
      continue;
    return next == wakeup::readable;
  }
}

void api_server::answer(api_connection& client) {
  const auto& head = client.reader.head();
  auto reply = answer_to(client);
  add_common_headers(reply);
  --client.requests_left;
  if (!httplib_adapter::knows(head.method)) {
    client.socket.put(render_reply(reply));
    client.then = api_connection::ending::drain;
    return;
  }
  // Asked after the handler: it may have taken long enough for the server to be told to stop.
  const bool last = stopping_ || places_.crowded() || !head.keep_alive || client.requests_left == 0;
  auto bytes = httplib_.render(head, reply, last, client.by->keep_alive_timeout);
  if (!bytes || last)
    client.then = api_connection::ending::close;
  if (bytes)
    client.socket.put(std::move(*bytes));
  client.begin_next();
}

api_reply api_server::answer_to(api_connection& client) {
  const auto& head = client.reader.head();
  auto refused = client.by->guard.read()->check(head);
  if (!refused)
    return client.by->dispatcher.answer(
      head, std::move(client.reader.body()), address_of(client.socket.descriptor()));
  count_refusal(refused->reason);
  return std::move(refused->reply);
}

void api_server::refuse(api_connection& client, const failure& why, std::string_view reason) {
  auto& answer = client.reader.answer();
  // What has an answer of its own is counted where that was made.
  if (!answer)
    count_refusal(reason);
  auto reply = answer ? std::move(*answer) : problem(why);
  add_common_headers(reply);
  client.socket.put(render_reply(reply, client.reader.head().method != "HEAD"));
}

void api_server::count_refusal(std::string_view reason) {
  refusals(metrics_, reason).Increment();
}

} // namespace herald
