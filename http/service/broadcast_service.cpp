#include "http/service/broadcast_service.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <caf/send.hpp>

#include "actors/gateway/gateway_sender.hpp"
#include "actors/gateway/gateway_shards.hpp"
#include "actors/idempotency/idempotency.hpp"
#include "actors/journal/journal.hpp"
#include "actors/journal/journal_recovery.hpp"
#include "actors/registry/connection_registry.hpp"
#include "actors/system/shared_value.hpp"
#include "actors/tasks/task_runner.hpp"
#include "actors/telemetry/log.hpp"
#include "actors/versions/version_store.hpp"
#include "actors/workers/task_worker.hpp"
#include "http/access/authorizer.hpp"
#include "http/access/checked_tokens.hpp"
#include "http/access/ticket_book.hpp"
#include "http/access/token_judge.hpp"
#include "http/admission/callback_access.hpp"
#include "http/api/access_api.hpp"
#include "http/api/callback_api.hpp"
#include "http/api/connection_api.hpp"
#include "http/api/event_api.hpp"
#include "http/api/internal_send_api.hpp"
#include "http/api/journal_api.hpp"
#include "http/api/keyed_requests.hpp"
#include "http/api/task_api.hpp"
#include "http/api/version_api.hpp"
#include "http/clients/gateway_client.hpp"
#include "http/clients/version_source.hpp"
#include "http/protocol/http_url.hpp"
#include "http/protocol/json_reply.hpp"
#include "http/protocol/stream_query.hpp"
#include "http/protocol/url.hpp"
#include "http/server/api_server.hpp"
#include "http/server/ask.hpp"
#include "http/service/service_parts.hpp"
#include "http/service/supervision.hpp"
#include "http/sockets/actor_loop.hpp"
#include "http/streams/stream_endpoint.hpp"
#include "http/tokens/key_source.hpp"
#include "http/tokens/token_checker.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;

/// The journal and what former lives have written; empty without `journal.path`.
recovered_journal recover_past(const config& settings) {
  if (settings.journal.path.empty())
    return {};
  auto past = recover_journal(settings.journal, std::chrono::system_clock::now());
  if (!past)
    throw std::runtime_error(describe(past.error()).detail);
  return std::move(*past);
}

/// Null where no tokens are taken. Throws where a file has no key.
std::unique_ptr<key_source> open_token_keys(const auth_options& options, metrics& numbers) {
  if (!options.takes_tokens())
    return nullptr;
  auto keys = key_source::open(options, numbers);
  if (keys)
    return std::move(*keys);
  const auto why = describe(keys.error());
  throw std::runtime_error(why.field + ": " + why.detail);
}

std::unique_ptr<token_checker>
make_token_checker(const key_source* keys, const auth_options& options, metrics& numbers) {
  return keys == nullptr ? nullptr : std::make_unique<token_checker>(*keys, options, numbers);
}

/// Whether others than this machine have streams without a credential.
bool exposes_streams(const config& settings) {
  return settings.gateway.url.empty() && !settings.auth.asks()
         && !is_loopback(settings.stream.host);
}

/// Whether streams of an external gateway that a former life has left open stay open, or are ended.
/// Where they need a right, nobody knows theirs any longer.
bool adopts_streams(const config& settings) {
  return !settings.gateway.url.empty() && !settings.auth.asks();
}

bool ends_streams(const config& settings) {
  return !settings.gateway.url.empty() && settings.auth.asks();
}

class broadcast_service final : public service {
public:
  broadcast_service(
    const config& settings, caf::actor_system& system, metrics& numbers,
    std::function<void()> give_up, const route_adder& more)
    : broadcast_service(
      settings, system, numbers, std::move(give_up), more, recover_past(settings)) {}
  ~broadcast_service() override;

  [[nodiscard]] open_ports ports() const override;
  void start() override;
  void reconfigure(const config& now) override;
  std::vector<std::string> shut_down(shutdown_reason why) override;

private:
  broadcast_service(
    const config& settings, caf::actor_system& system, metrics& numbers,
    std::function<void()> give_up, const route_adder& more, recovered_journal past);

  /// How the URLs of pages are read of which a gateway tells.
  [[nodiscard]] stream_query::rules query_rules() const {
    const bool asks = settings_.auth.asks();
    return {settings_.stream.max_topics, settings_.testing.enabled && !asks, asks};
  }
  file_journal_actor make_journal(recovered_journal& past, metrics& numbers);
  watcher_actor make_watcher(const recovered_journal& past, metrics& numbers);
  /// The registry, where there is a journal.
  [[nodiscard]] recorder_actor recorder() const {
    return journal_ ? recorder_actor{registry_} : recorder_actor{};
  }
  [[nodiscard]] journal_copier copier();
  version_source_actor make_version_source();
  [[nodiscard]] stream_options options_of_pages(metrics& numbers);
  void make_transport(metrics& numbers);
  void adopt(const std::vector<stream_kept>& streams);
  void make_routes();
  void tell_the_end(std::chrono::milliseconds wait);

  const config settings_;
  const task_seal seal_;
  api_access access_;
  /// Where programs of tasks reach the API; empty until that has its port.
  shared_value<std::string> api_url_;
  caf::actor_system& system_;
  std::atomic<service_phase> phase_ = service_phase::starting;
  router routes_;
  /// Null where no tokens are taken.
  const std::unique_ptr<key_source> token_keys_;
  const std::unique_ptr<token_checker> tokens_;
  /// Where the shards to an external gateway live, and their connections.
  std::optional<actor_loop> gateway_loop_;
  webhook_teller webhooks_;
  supervision supervision_;
  /// Null without `journal.path`.
  file_journal_actor journal_;
  /// Null without `webhook.url`.
  watcher_actor watcher_;
  const std::shared_ptr<event_place> place_ = std::make_shared<event_place>();
  const std::shared_ptr<ticket_book> tickets_;
  connection_registry_actor registry_;
  version_source_actor version_source_;
  version_store_actor versions_;
  idempotency_actor keys_;
  task_runner_actor tasks_;
  /// Shards to an external gateway; empty where the endpoint holds the streams.
  std::vector<gateway_sender_actor> shards_;
  /// Who asks its pages for their right; null where nobody does.
  std::shared_ptr<callback_access> page_access_;
  std::optional<stream_endpoint> endpoint_;
  std::optional<api_server> api_;
};

broadcast_service::broadcast_service(
  const config& settings, caf::actor_system& system, metrics& numbers,
  std::function<void()> give_up, const route_adder& more, recovered_journal past)
  : settings_(settings),
    seal_(task_seal_of(settings)),
    access_(access_rules_of(settings), seal_, numbers),
    system_(system),
    token_keys_(open_token_keys(settings.auth, numbers)),
    tokens_(make_token_checker(token_keys_.get(), settings.auth, numbers)),
    webhooks_(settings),
    supervision_(system, settings, numbers, std::move(give_up)),
    journal_(make_journal(past, numbers)),
    watcher_(make_watcher(past, numbers)),
    tickets_(std::make_shared<ticket_book>(
      ticket_book::limits{settings.auth.max_tickets, settings.auth.max_ticket_bytes}, numbers)),
    registry_(spawn_connection_registry(
      system, supervision_.child("connection-registry"),
      {settings.history, settings.retain, settings.stream.max_kept_away, settings.stream.max_topics,
       settings.stream.max_topic_changes_bytes, settings.stream.max_topics_bytes,
       settings.auth.max_bindings, settings.auth.max_revocations},
      numbers, registry_memory_of(settings, journal_, past, ends_streams(settings)), place_,
      watcher_)),
    version_source_(make_version_source()),
    versions_(spawn_version_store(
      system, supervision_.child("version-store"), settings.version, registry_, version_source_,
      numbers, {recorder(), std::move(past.snapshot.versions)})),
    keys_(spawn_idempotency(
      system, supervision_.child("idempotency"),
      {settings.api.idempotency_s, settings.api.max_idempotency_bytes}, numbers,
      {versions_, registry_}, {journal_, std::move(past.snapshot.answers)})) {
  caf::anon_send(registry_, add_observer{versions_});
  make_transport(numbers);
  adopt(past.snapshot.streams);
  // Now that there are streams to hear of it: tells of the tasks that a former life has left.
  task_options how{settings.tasks};
  how.keeper = "/proc/self/exe";
  if (settings.api.port != 0)
    api_url_.replace(api_url_of(settings, settings.api.port));
  how.variables_of = [seal = seal_, url = api_url_](const task_id& id) {
    std::map<std::string, std::string> variables{{"HERALD_TASK_TOKEN", seal.token_of(id)}};
    if (const auto known = url.read(); !known->empty())
      variables.emplace("HERALD_API", *known);
    return variables;
  };
  tasks_ = spawn_task_runner(
    system, supervision_.child("task-runner"), how, registry_, numbers,
    task_workers(system, how, numbers, supervision_.child("task-worker")),
    {journal_, recorder(), std::move(past.snapshot.tasks), watcher_});
  make_routes();
  add_service_routes(routes_, system, supervision_.address(), phase_, numbers, more);
  add_signposts(
    routes_, endpoint_ ? "port " + std::to_string(endpoint_->port()) + " (stream.port)"
                       : "the SSE Gateway of gateway.url");
  api_.emplace(api_options_of(settings), routes_, numbers, std::nullopt, &access_);
  api_url_.replace(api_url_of(settings, api_->port()));
}

broadcast_service::~broadcast_service() {
  // No handler may run while what it uses goes: ports first, then the actors.
  if (api_)
    api_->stop();
  (void)supervision_.end_actors();
}

file_journal_actor broadcast_service::make_journal(recovered_journal& past, metrics& numbers) {
  if (!past.file)
    return {};
  return spawn_journal(
    system_, supervision_.child("journal"), std::move(past.file),
    journal_options{settings_.journal}, numbers);
}

/// Before there is anything else to tell of: what former lives could not tell comes first.
watcher_actor broadcast_service::make_watcher(const recovered_journal& past, metrics& numbers) {
  const bool adopts = adopts_streams(settings_);
  webhooks_.start(
    system_, supervision_, settings_, numbers,
    webhook_memory_of(
      journal_, past.snapshot, adopts ? past.snapshot.streams : std::vector<stream_kept>{}));
  return webhooks_.watcher();
}

/// Streams of an external gateway outlive herald; they are known again before anything is
/// published, or ended, and come back with what they have. One that is to end is in the journal
/// until it has: the gateway may be away for longer than this life lasts.
void broadcast_service::adopt(const std::vector<stream_kept>& streams) {
  adopt_streams known;
  record_entries unreachable;
  for (const auto& stream : streams)
    if (adopts_streams(settings_))
      known.streams.push_back(
        {stream.id, stream.stream, stream.url, stream.connected_at,
         shard_for(stream.stream, shards_),
         stream_query{split_target(stream.url).query, query_rules()}.asks()});
    else if (ends_streams(settings_))
      end_unregistered(stream.stream, shards_);
    else
      unreachable.entries.emplace_back(stream_dropped{stream.stream});
  if (!known.streams.empty())
    caf::anon_send(registry_, std::move(known));
  if (!unreachable.entries.empty())
    caf::anon_send(journal_, std::move(unreachable));
}

/// Who copies the journal, where there is one.
journal_copier broadcast_service::copier() {
  if (!journal_)
    return {};
  return [this](std::string name, std::chrono::milliseconds most) -> caf::expected<copied_journal> {
    auto made = ask<journal_backup>(system_, journal_, back_up_journal{std::move(name)}, most);
    if (!made)
      return made.error();
    return copied_journal{std::move(made->name), made->bytes};
  };
}

version_source_actor broadcast_service::make_version_source() {
  if (settings_.version.url.empty())
    return {};
  return spawn_version_source(
    system_, supervision_.child("version-source"), {settings_.version.url});
}

/// How pages get their streams, with all that says who they are.
stream_options broadcast_service::options_of_pages(metrics& numbers) {
  auto options = stream_options_of(settings_);
  options.make_judge = [this]() -> std::unique_ptr<token_judge> {
    if (!tokens_)
      return std::make_unique<no_tokens>();
    return std::make_unique<checked_tokens>(*token_keys_, *tokens_);
  };
  options.tickets = tickets_;
  if (!settings_.auth.authorize_url.empty())
    options.questions = std::make_shared<authorizer>(settings_.auth, numbers);
  options.last_place = [place = place_] {
    return place->get();
  };
  return options;
}

void broadcast_service::make_transport(metrics& numbers) {
  if (settings_.gateway.url.empty()) {
    numbers
      .gauge(
        "herald_stream_exposed",
        "1 where others than this machine reach the streams, which ask nobody who they are.")
      .Set(exposes_streams(settings_) ? 1 : 0);
    endpoint_.emplace(
      system_, options_of_pages(numbers), registry_, numbers, supervision_.address());
    return;
  }
  if (settings_.auth.asks())
    page_access_ = std::make_shared<callback_access>(options_of_pages(numbers), numbers);
  const auto options = gateway_options_of(settings_);
  auto& loop = gateway_loop_.emplace(system_, settings_.stream.io_uring);
  const auto connect = [&loop, options](gateway_link::handler done) {
    return connect_gateway(loop.sockets(), options, std::move(done));
  };
  auto senders = supervision_.child("gateway-sender");
  senders.unit = &loop;
  for (auto& shard : spawn_gateway_senders(system_, senders, options, registry_, connect, numbers))
    shards_.emplace_back(std::move(shard));
}

void broadcast_service::make_routes() {
  routes_.add_header(
    std::string{place_header}, [place = place_] { return to_string(place->get()); });
  add_keyed_requests(routes_, system_, keys_);
  const event_limits limits{settings_.api.max_event_bytes};
  add_event_routes(routes_, system_, registry_, limits, settings_.api.wait_ms);
  add_version_routes(routes_, system_, versions_, limits);
  add_task_routes(
    routes_, system_, tasks_, {seal_, settings_.tasks.audience == task_audience::everyone});
  add_connection_routes(routes_, system_, registry_);
  add_look_back_route(routes_, system_, registry_);
  add_journal_route(routes_, copier());
  add_access_routes(routes_, system_, registry_, *tickets_, settings_.auth);
  callback_options callbacks{!shards_.empty()};
  callbacks.query = query_rules();
  callbacks.access = page_access_;
  add_callback_routes(routes_, system_, registry_, shards_, callbacks);
  add_internal_send_api(routes_, system_, registry_, {settings_.api.max_event_bytes});
  if (settings_.testing.enabled) {
    add_version_testing_routes(routes_, system_, versions_, limits);
    add_task_testing_routes(routes_, system_, tasks_);
    add_task_event_testing_route(routes_, system_, registry_);
  }
}

open_ports broadcast_service::ports() const {
  open_ports result;
  result.api = api_->port();
  if (endpoint_)
    result.stream = endpoint_->port();
  return result;
}

void broadcast_service::start() {
  if (exposes_streams(settings_))
    log::warning(
      "stream-endpoint", "open_to_all",
      {{"host", settings_.stream.host},
       {"what", "auth.mode is none: whoever reaches this address hears what is not for one page, "
                "and who knows a request_id has its stream"}});
  log_closed_routes(settings_);
  if (endpoint_)
    endpoint_->start();
  phase_ = service_phase::running;
  api_->start();
}

void broadcast_service::reconfigure(const config& now) {
  access_.replace(access_rules_of(now));
  // What is wrong with a file is logged.
  if (token_keys_)
    static_cast<void>(token_keys_->reload());
  webhooks_.reconfigure(now);
  log_closed_routes(now);
  api_->reconfigure(now.api);
  caf::anon_send(caf::actor_cast<history_keeper_actor>(registry_), change_history{now.history});
  if (endpoint_)
    endpoint_->reconfigure(now.stream, now.limits);
  if (page_access_)
    page_access_->change_origins(now.stream.cors_origins);
}

std::vector<std::string> broadcast_service::shut_down(shutdown_reason why) {
  // Told before `/readyz` says so, without waiting: who knows from there is refused everywhere.
  caf::anon_send(registry_, begin_shutdown{});
  caf::anon_send(versions_, begin_shutdown{});
  caf::anon_send(tasks_, begin_shutdown{});
  phase_ = service_phase::shutting_down;
  const auto wait = patience(why);
  const bool asked = why == shutdown_reason::asked;
  // No new work; what runs has the grace to end, and its last events still go out.
  (void)ask<void>(system_, registry_, begin_shutdown{}, wait);
  (void)ask<void>(system_, versions_, begin_shutdown{}, wait);
  if (asked)
    (void)ask<void>(system_, tasks_, begin_shutdown{}, settings_.shutdown.grace_s);
  (void)ask<void>(
    system_, tasks_, abort_all_tasks{}, asked ? settings_.tasks.kill_after_ms + 2s : wait);
  (void)ask<void>(system_, registry_, flush{}, wait);
  if (journal_)
    (void)ask<void>(system_, journal_, flush{}, wait);
  const auto flushed =
    std::chrono::steady_clock::now() + (asked ? settings_.gateway.retry_ms : wait);
  for (const auto& shard : shards_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      flushed - std::chrono::steady_clock::now());
    (void)ask<void>(system_, shard, flush{}, std::max(left, 10ms));
  }
  if (endpoint_)
    endpoint_->drain(std::chrono::steady_clock::now() + wait);
  api_->stop();
  tell_the_end(wait);
  return supervision_.end_actors();
}

/// The last streams have ended: the backend hears of that, now or from the next life.
void broadcast_service::tell_the_end(std::chrono::milliseconds wait) {
  if (!watcher_)
    return;
  (void)ask<void>(system_, registry_, flush{}, wait);
  webhooks_.flush(system_, wait);
  if (journal_)
    (void)ask<void>(system_, journal_, flush{}, wait);
}

} // namespace

std::unique_ptr<service> make_broadcast_service(
  const config& settings, caf::actor_system& system, metrics& numbers,
  std::function<void()> give_up, const route_adder& more) {
  return std::make_unique<broadcast_service>(settings, system, numbers, std::move(give_up), more);
}

} // namespace herald
