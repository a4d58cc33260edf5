#include "http/server/httplib_adapter.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include <httplib.h>
#include <sys/socket.h>

#include "actors/system/owned_fd.hpp"
#include "actors/system/signals_blocked.hpp"
#include "actors/telemetry/log.hpp"
#include "http/protocol/http_date.hpp"
#include "http/sockets/host_address.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;

/// A storm of callbacks would wait for retransmissions with fewer.
constexpr int listen_backlog = 4096;
/// To find a port that is free on all addresses of a host.
constexpr int most_attempts = 16;

/// Runs each job, which hands its connection over, on the thread that accepts.
class no_queue : public httplib::TaskQueue {
public:
  void enqueue(std::function<void()> job) override { job(); }
  void shutdown() override {}
};

/// Stands for a socket: httplib reads the head that we made from it, and writes into its buffer, so
/// that each answer goes out in one piece.
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

/// Removes a line that httplib has written by itself.
void drop_line(std::string& answer, std::string_view line) {
  if (const auto at = answer.find(line); at != std::string::npos)
    answer.erase(at, line.size());
}

/// Has an answer name another time than httplib's own for its connection to be idle.
void tell_time(std::string& answer, std::chrono::seconds keep_alive) {
  constexpr std::string_view name = "\r\nKeep-Alive: timeout=";
  const auto at = answer.find(name);
  if (at == std::string::npos || at > answer.find("\r\n\r\n"))
    return;
  const auto begin = at + name.size();
  answer.replace(begin, answer.find(',', begin) - begin, std::to_string(keep_alive.count()));
}

/// The answer that httplib is to write on this thread.
thread_local api_reply* current = nullptr;

} // namespace

/// An address of the API, and the thread that accepts there.
class httplib_adapter::server : public httplib::Server {
public:
  server(const api_options& options, std::string address, taker accepted)
    : address_(std::move(address)),
      accepted_(std::move(accepted)) {
    set_socket_options([this](socket_t descriptor) {
      // SO_REUSEADDR alone: httplib's own default adds SO_REUSEPORT.
      const int yes = 1;
      ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      listener_ = descriptor;
    });
    // httplib only tells clients of them.
    set_keep_alive_timeout(options.keep_alive_timeout.count());
    set_keep_alive_max_count(options.keep_alive_requests);
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
    new_task_queue = [] {
      return new no_queue;
    };
  }

  bool answer(head_stream& stream, bool last) {
    bool closed = false;
    return process_request(stream, last, closed, nullptr);
  }

  [[nodiscard]] const std::string& address() const noexcept { return address_; }

  /// Port 0 is replaced by a free one. Leaves `errno` where it cannot be had.
  [[nodiscard]] bool bind(std::uint16_t& port);
  void start();
  void end_accepting();

private:
  bool process_and_close_socket(socket_t descriptor) override {
    accepted_(descriptor);
    return true;
  }

  void accept_until_stopped();

  /// In numbers: httplib would not say why it cannot resolve a host.
  const std::string address_;
  const taker accepted_;
  std::uint16_t port_ = 0;
  /// The listening socket that httplib has made last.
  std::atomic<int> listener_{-1};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> accepting_ended_{false};
  std::thread acceptor_;
};

bool httplib_adapter::server::bind(std::uint16_t& port) {
  errno = 0;
  if (port == 0) {
    const int any = bind_to_any_port(address_);
    if (any <= 0)
      return false;
    port = static_cast<std::uint16_t>(any);
  } else if (!bind_to_port(address_, port)) {
    return false;
  }
  port_ = port;
  // On Linux listening again raises the backlog.
  return ::listen(listener_, listen_backlog) == 0;
}

void httplib_adapter::server::start() {
  // Signals are for the main thread; one here would end httplib's loop.
  const signals_blocked meanwhile;
  acceptor_ = std::thread([this] { accept_until_stopped(); });
}

void httplib_adapter::server::accept_until_stopped() {
  while (!listen_after_bind() && !stopping_) {
    log::error("api", "accept_failed", {{"address", address_}, {"port", port_}});
    do
      std::this_thread::sleep_for(100ms);
    while (!stopping_ && !bind(port_));
  }
  accepting_ended_ = true;
}

void httplib_adapter::server::end_accepting() {
  if (stopping_.exchange(true))
    return;
  if (!acceptor_.joinable()) {
    owned_fd{listener_}.close();
    return;
  }
  while (!is_running() && !accepting_ended_)
    std::this_thread::yield();
  stop();
  acceptor_.join();
}

httplib_adapter::httplib_adapter(const api_options& options, const taker& accepted)
  : port_(options.port) {
  // A port that is free on one address may be taken on the next.
  for (int attempt = 1; !bind_all(options, accepted); ++attempt) {
    const int why = errno != 0 ? errno : EADDRNOTAVAIL;
    if (options.port != 0 || why != EADDRINUSE || attempt == most_attempts)
      throw std::system_error(
        why, std::generic_category(),
        "api.host, api.port: cannot listen on " + options.host + ":"
          + std::to_string(options.port));
  }
}

httplib_adapter::~httplib_adapter() {
  stop();
}

/// Leaves `errno` where not all addresses can be had that this machine has.
bool httplib_adapter::bind_all(const api_options& options, const taker& accepted) {
  stop();
  servers_.clear();
  port_ = options.port;
  for (const auto& address : resolve_host(options.host, "api.host")) {
    auto one = std::make_unique<server>(options, address.text(), accepted);
    if (one->bind(port_))
      servers_.push_back(std::move(one));
    else if (!is_address_missing(errno))
      return false;
  }
  return !servers_.empty();
}

std::vector<std::string> httplib_adapter::addresses() const {
  std::vector<std::string> all;
  for (const auto& one : servers_)
    all.push_back(one->address());
  return all;
}

void httplib_adapter::start() {
  for (const auto& one : servers_)
    one->start();
}

void httplib_adapter::stop() {
  for (const auto& one : servers_)
    one->end_accepting();
}

bool httplib_adapter::knows(std::string_view method) {
  for (const std::string_view known :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
    if (method == known)
      return true;
  return false;
}

std::optional<std::string> httplib_adapter::render(
  const request_head& request, api_reply& reply, bool last, std::chrono::seconds keep_alive) {
  const auto shown = request.method + " " + request.target + " HTTP/1.1\r\n\r\n";
  head_stream stream{shown};
  current = &reply;
  const bool written = servers_.front()->answer(stream, last);
  current = nullptr;
  if (!written)
    return std::nullopt;
  // An answer that cannot have a body has no length (RFC 9110 section 8.6).
  if (reply.status == 204)
    drop_line(stream.answer(), "Content-Length: 0\r\n");
  tell_time(stream.answer(), keep_alive);
  // No answer is served in ranges.
  if (request.method == "HEAD")
    drop_line(stream.answer(), "Accept-Ranges: bytes\r\n");
  return std::move(stream.answer());
}

} // namespace herald
