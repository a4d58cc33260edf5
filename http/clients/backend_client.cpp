#include "http/clients/backend_client.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include "actors/telemetry/log.hpp"
#include "http/clients/backend_queue.hpp"
#include "http/clients/curl_client.hpp"
#include "http/clients/http_connection.hpp"
#include "http/sockets/run_guarded.hpp"
#include "http/sockets/socket_loop.hpp"
#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "messages/wire/callback_json.hpp"

namespace herald {

namespace {

namespace asio = boost::asio;

using clock = pending_callback::clock;
using kind = post_outcome::kind;

enum class ending : std::uint8_t { ok, refused, unreachable, timed_out, expired, queue_full };

constexpr std::array<const char*, 6> ending_names = {"ok",        "refused", "unreachable",
                                                     "timed_out", "expired", "queue_full"};

failure describe_ending(ending how) {
  switch (how) {
  case ending::ok:
    return {ec::none, {}, {}};
  case ending::refused:
    return {ec::upstream_refused, "the backend refused the stream", {}};
  case ending::unreachable:
    return {ec::upstream_unavailable, "the backend cannot be reached", {}};
  case ending::timed_out:
  case ending::expired:
    return {ec::upstream_timed_out, "the backend did not answer in time", {}};
  case ending::queue_full:
    return {ec::overloaded, "too many callbacks are waiting for the backend", {}};
  }
  return {ec::internal, {}, {}};
}

ending ending_of(const post_outcome& how) {
  if (how.what == kind::answered)
    return how.status / 100 == 2 ? ending::ok : ending::refused;
  return how.what == kind::timed_out ? ending::timed_out : ending::unreachable;
}

/// The numbers of one action.
struct action_numbers {
  std::vector<prometheus::Counter*> endings;
  prometheus::Counter* dropped = nullptr;
  prometheus::Histogram* duration = nullptr;

  action_numbers(callback_action which, metrics& numbers) {
    const std::string action{to_string(which)};
    for (const auto* name : ending_names)
      endings.push_back(&numbers.counter(
        "herald_callback_requests_total", "Callbacks to the backend, by how they ended.",
        {{"action", action}, {"outcome", name}}));
    dropped = &numbers.counter(
      "herald_callback_dropped_total", "Callbacks that were never sent: no connection was free.",
      {{"action", action}});
    duration = &numbers.latency(
      "herald_callback_duration_seconds", "From the call to its answer.", {{"action", action}});
  }

  void count(ending how, clock::duration took) {
    endings.at(static_cast<std::size_t>(how))->Increment();
    if (how == ending::expired || how == ending::queue_full)
      dropped->Increment();
    duration->Observe(std::chrono::duration<double>(took).count());
  }
};

} // namespace

/// All that lives on the client's thread.
class backend_client::engine {
public:
  engine(backend_client_options options, http_url url, metrics& numbers)
    : options_(std::move(options)),
      url_(std::move(url)),
      loop_(options_.io_uring),
      endpoints_(loop_.io(), url_.host, url_.port),
      queue_(options_.max_queued, options_.max_queued_bytes),
      queue_timer_(loop_.io()),
      connects_(callback_action::connect, numbers),
      disconnects_(callback_action::disconnect, numbers),
      in_flight_gauge_(numbers.gauge("herald_callback_in_flight", "Callbacks on the wire.")),
      queued_gauge_(numbers.gauge("herald_callback_queued", "Callbacks waiting for a connection.")),
      queued_bytes_(numbers.gauge(
        "herald_callback_queued_bytes", "Bytes of callbacks waiting for a connection.")),
      opened_(numbers.counter(
        "herald_callback_connections_opened_total", "Connections to the backend opened.")),
      thread_([this] { run_guarded(loop_.io(), "callback-client"); }) {}

  ~engine() {
    loop_.io().stop();
    thread_.join();
  }

  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  void submit(call_backend what, answer_handler done, body_handler read) {
    const auto now = clock::now();
    const auto patience = what.action == callback_action::connect ? options_.timeout_ms
                                                                  : options_.disconnect_queue_time;
    asio::post(
      loop_.io(), [this, added = pending_callback{
                           std::move(what), std::move(done), now, now + patience,
                           std::move(read)}]() mutable { enqueue(std::move(added)); });
  }

private:
  /// A connection, and the callback that is under way over it.
  struct sender {
    explicit sender(engine& owner)
      : connection(
        owner.loop_, owner.endpoints_, owner.url_, owner.options_.idle_time,
        [this, &owner](const post_outcome& how) { owner.ended(*this, how); }) {
      connection.tell_status(
        [this, &owner](unsigned status) {
          owner.conclude(*this, {kind::answered, status, {}, {}, {}});
        },
        owner.options_.body_time);
    }

    http_connection connection;
    /// Nothing once it is answered, though the body of the answer may still come.
    std::optional<pending_callback> call;
    /// Set while the body of its 2xx is to come.
    std::function<void(std::string_view body)> read;
  };

  void enqueue(pending_callback added) {
    if (queue_.full(added.call)) {
      answer(added, ending::queue_full, 0);
      return;
    }
    queue_.push(std::move(added));
    pump();
  }

  /// Sends what can be sent.
  void pump() {
    while (has_room()) {
      auto next = queue_.pop();
      if (!next)
        break;
      if (next->call.action == callback_action::disconnect)
        next->deadline = clock::now() + options_.timeout_ms;
      ++in_flight_;
      if (url_.tls) {
        send_by_curl(std::move(*next), url_, false);
        continue;
      }
      auto& over = idle_sender();
      over.call = std::move(*next);
      send(over);
    }
    show_in_flight();
    queued_gauge_.Set(static_cast<double>(queue_.size()));
    queued_bytes_.Set(static_cast<double>(queue_.bytes()));
    watch_queue();
  }

  [[nodiscard]] bool has_room() const {
    if (with_curl_ >= options_.max_in_flight)
      return false;
    return url_.tls || !idle_.empty() || senders_.size() < options_.max_in_flight;
  }

  /// Over TLS, or after a redirect.
  void send_by_curl(pending_callback what, http_url url, bool get) {
    if (!curl_)
      curl_ = std::make_unique<curl_client>(curl_options());
    ++with_curl_;
    curl_client::order order{
      std::move(url), render_callback(what.call), what.deadline, get, nullptr};
    const auto call = std::make_shared<pending_callback>(std::move(what));
    if (auto read = reader_of(*call))
      order.read = [this, read = std::move(read)](std::string body) {
        asio::post(loop_.io(), [read, body = std::move(body)] { read(body); });
      };
    order.done = [this, call](const curl_outcome& how) {
      asio::post(loop_.io(), [this, call, how] {
        --with_curl_;
        opened_.Increment(static_cast<double>(how.opened));
        finish(*call, {how.what, how.status, {}, how.why, {}});
        pump();
      });
    };
    curl_->post(std::move(order));
  }

  [[nodiscard]] curl_client_options curl_options() const {
    return {
      .ca_file = options_.ca_file,
      .max_connections = options_.max_in_flight,
      .idle_time = std::chrono::floor<std::chrono::seconds>(options_.idle_time)};
  }

  /// The connection used last, so that those which are not needed grow old and are closed.
  sender& idle_sender() {
    const auto kept = std::find_if(
      idle_.rbegin(), idle_.rend(), [](const sender* s) { return s->connection.kept(); });
    if (kept != idle_.rend())
      std::swap(*kept, idle_.back());
    else if (idle_.empty())
      idle_.push_back(senders_.emplace_back(std::make_unique<sender>(*this)).get());
    auto& found = *idle_.back();
    idle_.pop_back();
    return found;
  }

  void send(sender& over) {
    if (!over.connection.kept())
      opened_.Increment();
    over.connection.post(render_callback(over.call->call), over.call->deadline);
  }

  void ended(sender& over, const post_outcome& outcome) {
    if (outcome.what == kind::stale) {
      send(over);
      return;
    }
    if (const auto read = std::exchange(over.read, nullptr); read && outcome.what == kind::answered)
      read(outcome.body);
    conclude(over, outcome);
    over.read = nullptr;
    idle_.push_back(&over);
    pump();
  }

  /// Tells how the callback went, unless that is told, or it goes on elsewhere.
  void conclude(sender& over, const post_outcome& outcome) {
    auto call = std::exchange(over.call, std::nullopt);
    if (!call)
      return;
    if (outcome.what == kind::answered && is_redirect(outcome.status))
      if (auto next = redirect_within_host(url_, over.connection.location()))
        return send_by_curl(std::move(*call), std::move(*next), makes_get(outcome.status));
    if (ending_of(outcome) == ending::ok) {
      over.read = reader_of(*call);
      if (over.read && !outcome.body.empty())
        std::exchange(over.read, nullptr)(outcome.body);
    }
    finish(*call, outcome);
  }

  /// Who is told of the body of a 2xx; empty: nobody.
  static std::function<void(std::string_view body)> reader_of(const pending_callback& call) {
    if (!call.read)
      return {};
    return [read = call.read, stream = call.call.stream](std::string_view body) {
      if (!body.empty())
        read({stream, std::string{body}});
    };
  }

  void finish(const pending_callback& call, const post_outcome& outcome) {
    const auto how = ending_of(outcome);
    note_health(how, outcome);
    --in_flight_;
    show_in_flight();
    answer(call, how, outcome.status);
  }

  void show_in_flight() { in_flight_gauge_.Set(static_cast<double>(in_flight_)); }

  void answer(const pending_callback& what, ending how, unsigned status) {
    auto& numbers = what.call.action == callback_action::connect ? connects_ : disconnects_;
    numbers.count(how, clock::now() - what.submitted);
    what.done(
      {what.call.action, what.call.stream, describe_ending(how),
       static_cast<std::uint16_t>(status)});
  }

  /// Logs that the backend is lost or found again, not each callback in between.
  void note_health(ending how, const post_outcome& outcome) {
    const bool healthy = how == ending::ok || how == ending::refused;
    if (std::exchange(healthy_, healthy) == healthy)
      return;
    if (healthy)
      log::info("callback-client", "backend_answers_again");
    else
      log::warning(
        "callback-client", "backend_does_not_answer",
        {{"why", outcome.error ? outcome.error.message() : std::string{outcome.why}}});
  }

  void watch_queue() {
    const auto next = queue_.next_deadline();
    if (!next || (queue_watched_until_ && *queue_watched_until_ <= *next))
      return;
    queue_watched_until_ = next;
    queue_timer_.expires_at(*next);
    queue_timer_.async_wait([this](boost::system::error_code error) {
      if (error)
        return;
      queue_watched_until_.reset();
      for (const auto& late : queue_.expire(clock::now()))
        answer(late, ending::expired, 0);
      pump();
    });
  }

  const backend_client_options options_;
  const http_url url_;
  socket_loop loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.io().get_executor()};
  endpoint_cache endpoints_;
  backend_queue queue_;
  asio::steady_timer queue_timer_;
  std::optional<clock::time_point> queue_watched_until_;
  std::vector<std::unique_ptr<sender>> senders_;
  /// Senders that carry no callback and wait for no body, the one used last at the end.
  std::vector<sender*> idle_;
  /// Callbacks that were sent and are not answered.
  std::size_t in_flight_ = 0;
  bool healthy_ = true;
  action_numbers connects_;
  action_numbers disconnects_;
  prometheus::Gauge& in_flight_gauge_;
  prometheus::Gauge& queued_gauge_;
  prometheus::Gauge& queued_bytes_;
  prometheus::Counter& opened_;
  /// Callbacks that it has.
  std::size_t with_curl_ = 0;
  /// Made when it is needed. It tells the loop.
  std::unique_ptr<curl_client> curl_;
  std::thread thread_;
};

caf::expected<std::shared_ptr<backend_client>>
backend_client::make(backend_client_options options, metrics& numbers) {
  auto url = parse_http_url(options.url);
  if (!url)
    return fail(ec::invalid_field, "must be an http:// or https:// URL", "callback.url");
  auto inside = std::make_unique<engine>(std::move(options), std::move(*url), numbers);
  return std::shared_ptr<backend_client>{new backend_client(std::move(inside))};
}

backend_client::backend_client(std::unique_ptr<engine> inside) : engine_(std::move(inside)) {}

backend_client::~backend_client() = default;

void backend_client::call(call_backend what, answer_handler done, body_handler read) {
  engine_->submit(std::move(what), std::move(done), std::move(read));
}

namespace {

/// The inside of the actor.
class backend_caller {
public:
  explicit backend_caller(std::weak_ptr<backend_client> client) : client_(std::move(client)) {}

  static shell<backend_caller_actor, backend_caller>::behavior_type
  behavior(shell<backend_caller_actor, backend_caller>& s) {
    // A stream waits for the answer to its callback; the backend bears to be told twice.
    return {s.repeatable(&backend_caller::call), s.control()};
  }

  void call(const call_backend& command) {
    const auto tell = [listener = command.listener](const auto& fact) {
      if (listener)
        caf::anon_send(listener, fact);
    };
    const auto calls = client_.lock();
    if (!calls) {
      tell(
        backend_answered{command.action, command.stream, describe_ending(ending::unreachable), 0});
      return;
    }
    auto passed_on = command;
    passed_on.listener = backend_listener_actor{};
    if (command.action == callback_action::connect)
      calls->call(std::move(passed_on), tell, tell);
    else
      calls->call(std::move(passed_on), tell);
  }

private:
  std::weak_ptr<backend_client> client_;
};

} // namespace

supervised<backend_caller_actor> spawn_backend_caller(
  caf::actor_system& system, shell_options shell, std::weak_ptr<backend_client> client) {
  return spawn_supervised<backend_caller_actor, backend_caller>(
    system, std::move(shell),
    [client = std::move(client)](auto*) { return std::make_unique<backend_caller>(client); });
}

} // namespace herald
