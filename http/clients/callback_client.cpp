#include "http/clients/callback_client.hpp"

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
#include "http/clients/callback_connection.hpp"
#include "http/clients/callback_queue.hpp"
#include "http/sockets/run_guarded.hpp"
#include "messages/actors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

namespace {

namespace asio = boost::asio;

using clock = pending_callback::clock;
using connection_ptr = std::shared_ptr<callback_connection>;

constexpr std::chrono::seconds idle_sweep_interval{1};

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

ending ending_of(const callback_connection::outcome& outcome) {
  switch (outcome.what) {
  case callback_connection::result::answered:
    return outcome.status / 100 == 2 ? ending::ok : ending::refused;
  case callback_connection::result::timed_out:
    return ending::timed_out;
  default:
    return ending::unreachable;
  }
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
class callback_client::engine {
public:
  engine(callback_client_options options, http_url url, metrics& numbers)
    : options_(std::move(options)),
      url_(std::move(url)),
      endpoints_(io_, url_.host, url_.port),
      queue_(options_.max_queued),
      queue_timer_(io_),
      idle_timer_(io_),
      connects_(callback_action::connect, numbers),
      disconnects_(callback_action::disconnect, numbers),
      in_flight_gauge_(numbers.gauge("herald_callback_in_flight", "Callbacks on the wire.")),
      queued_gauge_(numbers.gauge("herald_callback_queued", "Callbacks waiting for a connection.")),
      opened_(numbers.counter(
        "herald_callback_connections_opened_total", "Connections to the backend opened.")),
      thread_([this] { run_guarded(io_, "callback-client"); }) {}

  ~engine() {
    io_.stop();
    thread_.join();
  }

  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  void submit(call_backend what, answer_handler done) {
    const auto now = clock::now();
    const auto patience =
      what.action == callback_action::connect ? options_.timeout : options_.disconnect_queue_time;
    asio::post(
      io_, [this, added = pending_callback{
                    std::move(what), std::move(done), now, now + patience}]() mutable {
        take(std::move(added));
      });
  }

private:
  void take(pending_callback added) {
    if (queue_.full(added.call.action)) {
      end(added, ending::queue_full, 0);
      return;
    }
    queue_.push(std::move(added));
    pump();
  }

  /// Sends what can be sent.
  void pump() {
    while (in_flight_ < options_.max_in_flight) {
      auto next = queue_.pop();
      if (!next)
        break;
      if (next->call.action == callback_action::disconnect)
        next->deadline = clock::now() + options_.timeout;
      send(take_idle(), std::move(*next));
    }
    queued_gauge_.Set(static_cast<double>(queue_.size()));
    watch_queue();
  }

  void send(connection_ptr over, pending_callback what) {
    if (!over) {
      over = std::make_shared<callback_connection>(io_, url_, endpoints_);
      opened_.Increment();
    }
    in_flight_gauge_.Set(static_cast<double>(++in_flight_));
    const auto deadline = what.deadline;
    auto body = render_callback(what.call);
    over->post(
      std::move(body), deadline,
      // Not the pointer that counts: the connection holds this handler.
      [this, connection = over.get(),
       call = std::move(what)](const callback_connection::outcome& outcome) mutable {
        done(connection->shared_from_this(), std::move(call), outcome);
      });
  }

  void
  done(connection_ptr over, pending_callback what, const callback_connection::outcome& outcome) {
    in_flight_gauge_.Set(static_cast<double>(--in_flight_));
    if (outcome.what == callback_connection::result::stale) {
      send(nullptr, std::move(what));
      return;
    }
    const auto how = ending_of(outcome);
    note_health(how, outcome.why);
    if (over->reusable()) {
      idle_.push_back(std::move(over));
      watch_idle();
    }
    end(what, how, outcome.status);
    pump();
  }

  void end(const pending_callback& what, ending how, unsigned status) {
    auto& numbers = what.call.action == callback_action::connect ? connects_ : disconnects_;
    numbers.count(how, clock::now() - what.submitted);
    what.done(
      {what.call.action, what.call.stream, describe_ending(how),
       static_cast<std::uint16_t>(status)});
  }

  /// Logs that the backend is lost or found again, not each callback in between.
  void note_health(ending how, const std::string& why) {
    const bool healthy = how == ending::ok || how == ending::refused;
    if (std::exchange(healthy_, healthy) == healthy)
      return;
    if (healthy)
      log::info("callback-client", "backend_answers_again");
    else
      log::warning("callback-client", "backend_does_not_answer", {{"why", why}});
  }

  connection_ptr take_idle() {
    const auto oldest = clock::now() - options_.idle_time;
    while (!idle_.empty()) {
      auto latest = std::move(idle_.back());
      idle_.pop_back();
      if (latest->idle_since() > oldest && latest->reusable())
        return latest;
    }
    return nullptr;
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
        end(late, ending::expired, 0);
      pump();
    });
  }

  void watch_idle() {
    if (std::exchange(idle_watched_, true))
      return;
    idle_timer_.expires_after(idle_sweep_interval);
    idle_timer_.async_wait([this](boost::system::error_code error) {
      idle_watched_ = false;
      if (error)
        return;
      const auto oldest = clock::now() - options_.idle_time;
      std::erase_if(idle_, [&](const connection_ptr& c) {
        return c->idle_since() <= oldest || !c->reusable();
      });
      if (!idle_.empty())
        watch_idle();
    });
  }

  callback_client_options options_;
  http_url url_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  endpoint_cache endpoints_;
  callback_queue queue_;
  asio::steady_timer queue_timer_;
  std::optional<clock::time_point> queue_watched_until_;
  /// The one used last at the end.
  std::vector<connection_ptr> idle_;
  asio::steady_timer idle_timer_;
  bool idle_watched_ = false;
  std::size_t in_flight_ = 0;
  bool healthy_ = true;
  action_numbers connects_;
  action_numbers disconnects_;
  prometheus::Gauge& in_flight_gauge_;
  prometheus::Gauge& queued_gauge_;
  prometheus::Counter& opened_;
  std::thread thread_;
};

caf::expected<std::shared_ptr<callback_client>>
callback_client::make(callback_client_options options, metrics& numbers) {
  auto url = parse_http_url(options.url);
  if (!url || url->tls)
    return fail(ec::invalid_field, "must be an http:// URL", "callback.url");
  auto inside = std::make_unique<engine>(std::move(options), std::move(*url), numbers);
  return std::shared_ptr<callback_client>{new callback_client(std::move(inside))};
}

callback_client::callback_client(std::unique_ptr<engine> inside) : engine_(std::move(inside)) {}

callback_client::~callback_client() = default;

void callback_client::call(call_backend what, answer_handler done) {
  engine_->submit(std::move(what), std::move(done));
}

namespace {

/// The inside of the actor.
class backend_caller {
public:
  explicit backend_caller(std::weak_ptr<callback_client> client) : client_(std::move(client)) {}

  static shell<backend_caller_actor, backend_caller>::behavior_type
  behavior(shell<backend_caller_actor, backend_caller>& s) {
    // A stream waits for the answer to its callback; the backend bears to be told twice.
    return {s.repeatable(&backend_caller::call), s.control()};
  }

  void call(const call_backend& command) {
    const auto tell = [listener = command.listener](const backend_answered& answer) {
      if (listener)
        caf::anon_send(listener, answer);
    };
    const auto calls = client_.lock();
    if (!calls) {
      tell({command.action, command.stream, describe_ending(ending::unreachable), 0});
      return;
    }
    auto passed_on = command;
    passed_on.listener = backend_listener_actor{};
    calls->call(std::move(passed_on), tell);
  }

private:
  std::weak_ptr<callback_client> client_;
};

} // namespace

supervised<backend_caller_actor> spawn_backend_caller(
  caf::actor_system& system, shell_options shell, std::weak_ptr<callback_client> client) {
  return spawn_supervised<backend_caller_actor, backend_caller>(
    system, std::move(shell),
    [client = std::move(client)](auto*) { return std::make_unique<backend_caller>(client); });
}

} // namespace herald
