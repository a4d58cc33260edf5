#include "http/server/api_server.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "actors/telemetry/log.hpp"
#include "http/protocol/http_reply.hpp"
#include "http/protocol/http_url.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "http/server/request_reader.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;
using clock = api_socket::clock;
using wakeup = api_socket::event;

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

} // namespace

api_server::api_server(api_options options, const router& routes, metrics& numbers)
  : options_(std::move(options)),
    metrics_(numbers),
    dispatcher_(routes, numbers),
    open_(numbers.gauge("herald_api_connections_open", "Connections of API clients.")),
    threads_({options_.max_connections, options_.max_waiting_connections, 5s}, numbers),
    httplib_(options_, [this](int descriptor) { on_client(descriptor); }),
    exposed_(!is_loopback(httplib_.address())),
    guard_(options_, !exposed_) {
  numbers
    .gauge(
      "herald_api_exposed",
      "1 where others than this machine reach the API, which asks nobody who they are.")
    .Set(exposed_ ? 1 : 0);
  // There from the start: an alert on a rise sees the first one.
  for (const auto* reason : {"origin", "host"})
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
  if (exposed_)
    log::warning(
      "api", "exposed",
      {{"host", options_.host},
       {"what",
        "api.host is not a loopback address: whoever reaches this port may publish, read who is "
        "connected, and start the programs of tasks.commands"}});
  httplib_.start();
}

void api_server::stop() {
  if (stopping_.exchange(true))
    return;
  wakeups_.stopping.raise();
  httplib_.stop();
  threads_.join();
}

/// On the thread that accepts.
void api_server::on_client(int descriptor) {
  std::function<void()> job = [this, descriptor] {
    serve(descriptor, &api_server::serve_requests);
  };
  if (!threads_.enqueue(job))
    serve(descriptor, &api_server::turn_away);
  else if (threads_.starving())
    wakeups_.make_room.raise();
}

void api_server::turn_away(api_socket& socket) {
  count_refusal(to_string(ec::overloaded));
  auto reply = problem({ec::overloaded, "too many connections", {}});
  add_common_headers(reply);
  // No waiting here.
  socket.write(render_reply(reply), clock::now());
}

void api_server::serve(int descriptor, void (api_server::*how)(api_socket&)) {
  api_socket socket{descriptor, wakeups_};
  open_.Increment();
  try {
    (this->*how)(socket);
  } catch (const std::exception& e) {
    log::error("api", "connection_failed", {{"what", e.what()}});
  }
  open_.Decrement();
}

void api_server::serve_requests(api_socket& socket) {
  const asker_scope asker;
  for (auto left = options_.keep_alive_requests; left > 0; --left) {
    const auto next = socket.wait_for_request(clock::now() + options_.keep_alive_timeout);
    if (next == wakeup::make_room && !threads_.starving())
      continue;
    if (next != wakeup::readable || !serve_one(socket, left == 1))
      return;
  }
}

/// False if the connection is to be closed.
bool api_server::serve_one(api_socket& socket, bool last) {
  request_reader request{socket, options_};
  switch (request.read()) {
  case request_reader::outcome::complete:
    break;
  case request_reader::outcome::refused:
    count_refusal(to_string(request.refusal().code));
    answer_last(socket, problem(request.refusal()), request.head().method != "HEAD");
    return false;
  case request_reader::outcome::gone:
    return false;
  }
  const auto& head = request.head();
  auto reply = answer_to(head, std::move(request.body()));
  if (!httplib_adapter::knows(head.method)) {
    answer_last(socket, std::move(reply), true);
    return false;
  }
  // Asked after the handler: it may have taken long enough for the server to be told to stop.
  last = last || stopping_ || threads_.starving() || !head.keep_alive;
  return answer(socket, head, reply, last);
}

api_reply api_server::answer_to(const request_head& head, std::string body) {
  auto refused = guard_.check(head);
  if (!refused)
    return dispatcher_.answer(head, std::move(body));
  count_refusal(refused->reason);
  return std::move(refused->reply);
}

bool api_server::answer(api_socket& socket, const request_head& head, api_reply& reply, bool last) {
  add_common_headers(reply);
  const auto bytes = httplib_.render(head, reply, last);
  return bytes && socket.write(*bytes, clock::now() + options_.write_timeout) && !last;
}

/// With an answer that httplib has no part in.
void api_server::answer_last(api_socket& socket, api_reply reply, bool with_body) {
  add_common_headers(reply);
  socket.write(render_reply(reply, with_body), clock::now() + options_.write_timeout);
  socket.finish();
}

void api_server::count_refusal(std::string_view reason) {
  refusals(metrics_, reason).Increment();
}

} // namespace herald
