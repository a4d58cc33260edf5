#include "http/server/api_server.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <functional>
#include <system_error>
#include <thread>
#include <utility>

#include <httplib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/telemetry/log.hpp"
#include "http/protocol/http_reply.hpp"
#include "http/protocol/http_date.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/api_dispatcher.hpp"
#include "http/server/api_socket.hpp"
#include "http/server/ask.hpp"
#include "http/server/connection_threads.hpp"
#include "http/server/request_reader.hpp"
#include "http/sockets/host_address.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;
using clock = api_socket::clock;
using wakeup = api_socket::event;

/// httplib listens with a backlog of 5: a storm of callbacks would wait for retransmissions.
constexpr int listen_backlog = 4096;

/// A descriptor that is closed with its owner.
class event_descriptor {
public:
  explicit event_descriptor(int flags) : descriptor_(::eventfd(0, flags | EFD_CLOEXEC)) {
    if (descriptor_ < 0)
      throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~event_descriptor() { ::close(descriptor_); }
  event_descriptor(const event_descriptor&) = delete;
  event_descriptor& operator=(const event_descriptor&) = delete;

  [[nodiscard]] int get() const noexcept { return descriptor_; }
  void raise() const noexcept {
    const std::uint64_t one = 1;
    // Fails only where the counter is full: then it is raised.
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
  }

private:
  int descriptor_;
};

/// What httplib reads and writes instead of a socket: the head that we made, and a buffer, so that
/// each answer goes out in one piece.
class head_stream : public httplib::Stream {
public:
  explicit head_stream(std::string_view head) : head_(head) {}

  [[nodiscard]] bool is_readable() const override { return !head_.empty(); }
  [[nodiscard]] bool is_writable() const override { return true; }
  ssize_t read(char* data, std::size_t size) override {
    const auto count = head_.copy(data, size);
    head_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* data, std::size_t size) override {
    answer_.append(data, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int& port) const override { port = 0; }
  void get_local_ip_and_port(std::string&, int& port) const override { port = 0; }
  [[nodiscard]] socket_t socket() const override { return -1; }

  [[nodiscard]] std::string& answer() noexcept { return answer_; }

private:
  std::string_view head_;
  std::string answer_;
};

/// Takes back what httplib says by itself.
void drop_line(std::string& answer, std::string_view line) {
  if (const auto at = answer.find(line); at != std::string::npos)
    answer.erase(at, line.size());
}

/// httplib answers 400 to other methods by itself.
bool known_to_httplib(std::string_view method) {
  for (const std::string_view known :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
    if (method == known)
      return true;
  return false;
}

/// Gives httplib's jobs to our threads, which outlive a listening loop of httplib.
class job_queue : public httplib::TaskQueue {
public:
  explicit job_queue(std::function<void(std::function<void()>)> take) : take_(std::move(take)) {}

  void enqueue(std::function<void()> job) override { take_(std::move(job)); }
  void shutdown() override {}

private:
  std::function<void(std::function<void()>)> take_;
};

/// Set while httplib runs a job for a connection that there is no room for.
thread_local bool no_room = false;
/// What this thread's httplib is to answer.
thread_local api_reply* current = nullptr;

} // namespace

class api_server::engine : private httplib::Server {
public:
  engine(api_options options, const router& routes, metrics& numbers);
  ~engine() override { stop_serving(); }

  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  [[nodiscard]] std::uint16_t bound_port() const noexcept { return options_.port; }
  void start_serving();
  void stop_serving();

private:
  bool process_and_close_socket(socket_t descriptor) override;

  [[nodiscard]] bool bind();
  void accept_until_stopped();
  void take(std::function<void()> job);
  void serve(api_socket& socket);
  bool serve_one(api_socket& socket, bool last);
  bool answer(api_socket& socket, const request_head& head, api_reply& reply, bool last);
  void end_with(api_socket& socket, const api_reply& reply, bool with_body);
  void count_refusal(ec code);

  api_options options_;
  /// In numbers: httplib would not say why it cannot resolve a host.
  std::string address_;
  metrics& metrics_;
  api_dispatcher dispatcher_;
  event_descriptor stopping_event_{0};
  event_descriptor room_event_{EFD_SEMAPHORE | EFD_NONBLOCK};
  api_wakeups wakeups_{stopping_event_.get(), room_event_.get()};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> accepting_ended_{false};
  std::atomic<int> listener_{-1};
  prometheus::Gauge& open_;
  connection_threads threads_;
  std::thread acceptor_;
};

api_server::engine::engine(api_options options, const router& routes, metrics& numbers)
  : options_(std::move(options)),
    address_(resolve_host(options_.host, "api.host").text()),
    metrics_(numbers),
    dispatcher_(routes, numbers),
    open_(numbers.gauge("herald_api_connections_open", "Connections of API clients.")),
    threads_({options_.max_connections, options_.max_waiting_connections, 5s}, numbers) {
  set_socket_options([this](socket_t descriptor) {
    // SO_REUSEADDR alone: httplib's own default adds SO_REUSEPORT, with which two servers would
    // share a port without a word.
    const int yes = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    listener_ = descriptor;
  });
  set_keep_alive_timeout(options_.keep_alive_timeout.count());
  set_keep_alive_max_count(options_.keep_alive_requests);
  set_pre_routing_handler([](const httplib::Request&, httplib::Response& response) {
    response.status = current->status;
    response.set_header("Date", std::string{http_date_now()});
    for (const auto& [name, value] : current->headers)
      response.set_header(name, value);
    if (current->status != 204)
      response.set_header("Content-Type", current->content_type);
    response.body = std::move(current->body);
    return HandlerResponse::Handled;
  });
  new_task_queue = [this] {
    return new job_queue([this](std::function<void()> job) { take(std::move(job)); });
  };
  errno = 0;
  if (!bind()) {
    const int why = errno != 0 ? errno : EADDRNOTAVAIL;
    throw std::system_error(
      why, std::generic_category(),
      "api.host, api.port: cannot listen on " + options_.host + ":"
        + std::to_string(options_.port));
  }
}

bool api_server::engine::bind() {
  if (options_.port == 0) {
    const int port = bind_to_any_port(address_);
    if (port <= 0)
      return false;
    options_.port = static_cast<std::uint16_t>(port);
  } else if (!bind_to_port(address_, options_.port)) {
    return false;
  }
  // On Linux listening again raises the backlog.
  return ::listen(listener_, listen_backlog) == 0;
}

void api_server::engine::start_serving() {
  // Signals are for the main thread; one here would end httplib's loop.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  acceptor_ = std::thread([this] { accept_until_stopped(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void api_server::engine::accept_until_stopped() {
  // httplib gives up on errors that pass, such as no memory for one connection.
  while (!listen_after_bind() && !stopping_) {
    log::error("api", "accept_failed", {{"port", options_.port}});
    do
      std::this_thread::sleep_for(100ms);
    while (!stopping_ && !bind());
  }
  accepting_ended_ = true;
}

void api_server::engine::stop_serving() {
  if (stopping_.exchange(true))
    return;
  stopping_event_.raise();
  if (acceptor_.joinable()) {
    // httplib can be told to stop only once it is in its loop.
    while (!is_running() && !accepting_ended_)
      std::this_thread::yield();
    Server::stop();
    acceptor_.join();
  } else {
    ::close(listener_);
  }
  threads_.join();
}

void api_server::engine::take(std::function<void()> job) {
  if (threads_.enqueue(job)) {
    if (threads_.starving())
      room_event_.raise();
    return;
  }
  no_room = true;
  job();
  no_room = false;
}

bool api_server::engine::process_and_close_socket(socket_t descriptor) {
  api_socket socket{descriptor, wakeups_};
  open_.Increment();
  try {
    if (no_room) {
      count_refusal(ec::overloaded);
      const auto reply = problem({ec::overloaded, "too many connections", {}});
      // No waiting here: this is the thread that accepts.
      socket.write(render_reply(reply), clock::now());
    } else {
      serve(socket);
    }
  } catch (const std::exception& e) {
    log::error("api", "connection_failed", {{"what", e.what()}});
  }
  open_.Decrement();
  return true;
}

void api_server::engine::serve(api_socket& socket) {
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
bool api_server::engine::serve_one(api_socket& socket, bool last) {
  request_reader request{socket, options_};
  switch (request.read()) {
  case request_reader::outcome::complete:
    break;
  case request_reader::outcome::refused:
    count_refusal(request.refusal().code);
    end_with(socket, problem(request.refusal()), request.head().method != "HEAD");
    return false;
  case request_reader::outcome::gone:
    return false;
  }
  auto reply = dispatcher_.answer(request.head(), std::move(request.body()));
  if (!known_to_httplib(request.head().method)) {
    end_with(socket, reply, true);
    return false;
  }
  // Asked after the handler: it may have taken long enough for the server to be told to stop.
  last = last || stopping_ || threads_.starving() || !request.head().keep_alive;
  return answer(socket, request.head(), reply, last);
}

/// Lets httplib parse and route (to our pre-routing handler), and write the answer. It gets no
/// headers: with none it compresses nothing, cuts no ranges, reads no body and changes no
/// connection.
bool api_server::engine::answer(
  api_socket& socket, const request_head& head, api_reply& reply, bool last) {
  const auto shown = head.method + " " + head.target + " HTTP/1.1\r\n\r\n";
  head_stream stream{shown};
  bool closed = false;
  current = &reply;
  const bool written = process_request(stream, last, closed, nullptr);
  current = nullptr;
  // An answer that cannot have a body has no length (RFC 9110 section 8.6).
  if (reply.status == 204)
    drop_line(stream.answer(), "Content-Length: 0\r\n");
  // No answer is served in ranges.
  if (head.method == "HEAD")
    drop_line(stream.answer(), "Accept-Ranges: bytes\r\n");
  return socket.write(stream.answer(), clock::now() + options_.write_timeout) && written && !last;
}

/// With an answer that httplib has no part in.
void api_server::engine::end_with(api_socket& socket, const api_reply& reply, bool with_body) {
  socket.write(render_reply(reply, with_body), clock::now() + options_.write_timeout);
  socket.finish();
}

void api_server::engine::count_refusal(ec code) {
  metrics_
    .counter(
      "herald_api_rejected_total", "API requests and connections refused before they were routed.",
      {{"reason", std::string(to_string(code))}})
    .Increment();
}

api_server::api_server(api_options options, const router& routes, metrics& numbers)
  : engine_(std::make_unique<engine>(std::move(options), routes, numbers)) {}

api_server::~api_server() = default;

std::uint16_t api_server::port() const noexcept {
  return engine_->bound_port();
}

void api_server::start() {
  engine_->start_serving();
}

void api_server::stop() {
  engine_->stop_serving();
}

} // namespace herald
