#include "http/service/service_parts.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "actors/telemetry/log.hpp"
#include "http/admission/client_origin.hpp"
#include "http/api/health_api.hpp"
#include "http/protocol/http_url.hpp"
#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "messages/wire/actor_json.hpp"

namespace herald {

stream_options stream_options_of(const config& settings) {
  stream_options options{settings.stream};
  options.drain_retry_spread = settings.shutdown.retry_window_ms;
  // A URL says nothing of who its page is where that is asked.
  options.principals = settings.testing.enabled && !settings.auth.asks();
  options.auth = settings.auth;
  options.limits = settings.limits;
  // The backend's verdict, and then some.
  if (!settings.callback.url.empty())
    options.open_timeout = settings.callback.timeout_ms + std::chrono::seconds{1};
  return options;
}

api_options api_options_of(const config& settings) {
  api_options options{settings.api};
  if (const network_list trusted{settings.stream.trusted_proxies}; !trusted.empty())
    options.is_proxy = [trusted](int fd) {
      return trusted.contain(peer_of(fd));
    };
  return options;
}

gateway_options gateway_options_of(const config& settings) {
  gateway_options options{settings.gateway};
  options.expiry_notice = settings.auth.renew_s;
  options.expiry_grace = settings.auth.leeway_s;
  return options;
}

std::chrono::milliseconds patience(shutdown_reason why) {
  return why == shutdown_reason::asked ? ask_deadline : std::chrono::seconds{1};
}

access_rules access_rules_of(const config& settings) {
  return {settings.api.keys, settings.limits, settings.internal.secret, settings.callback.secret};
}

void log_closed_routes(const config& settings) {
  if (settings.api.keys.empty())
    return;
  if (settings.internal.secret.empty())
    log::info(
      "api", "internal_send_closed",
      {{"what", "there are api.keys and no internal.secret: /internal/send is refused"}});
  if (!settings.gateway.url.empty() && settings.callback.secret.empty())
    log::warning(
      "api", "callback_closed",
      {{"what", "there are api.keys and no callback.secret: what the gateway tells is refused"}});
}

task_seal task_seal_of(const config& settings) {
  if (settings.journal.path.empty())
    return task_seal{random_secret()};
  return task_seal{secret_in(settings.journal.path + "-secret")};
}

std::string api_url_of(const config& settings, std::uint16_t port) {
  auto host = settings.api.host;
  if (host == "0.0.0.0")
    host = "127.0.0.1";
  else if (host == "::")
    host = "::1";
  if (host.find(':') != std::string::npos)
    host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(port);
}

namespace {

std::vector<std::string> not_ready(
  caf::actor_system& system, const supervisor_actor& supervisor,
  const std::atomic<service_phase>& phase) {
  if (phase == service_phase::starting)
    return {"starting"};
  std::vector<std::string> names;
  if (phase == service_phase::shutting_down)
    names.emplace_back("shutting down");
  const auto tree = ask<actor_tree>(system, supervisor, get_actor_status{});
  if (!tree)
    names.emplace_back("supervisor");
  else
    for (const auto& child : tree->children)
      if (is_missed(child))
        names.push_back(child.name);
  return names;
}

} // namespace

void add_service_routes(
  router& routes, caf::actor_system& system, const supervisor_actor& supervisor,
  const std::atomic<service_phase>& phase, const metrics& numbers, const route_adder& more) {
  routes.add("GET", "/api/actors", no_parameters, [&system, supervisor](const api_request&) {
    const auto tree = ask<actor_tree>(system, supervisor, get_actor_status{});
    return tree ? json_reply(200, to_json(*tree)) : problem(tree.error());
  });
  add_health_routes(
    routes, [&system, supervisor, &phase] { return not_ready(system, supervisor, phase); },
    numbers);
  if (more)
    more(routes);
}

void add_signposts(router& routes, const std::string& streams) {
  const auto point = [streams](const api_request&) {
    return problem(failure{
      ec::no_such_route,
      "this port has the API, under /api/, and /healthz, /readyz, /metrics; streams are served by "
        + streams,
      {}});
  };
  routes.add("GET", "/", no_parameters, point);
  routes.add("GET", "/api/sse/stream", foreign_protocol, point);
}

webhook_teller::webhook_teller(const config& settings) : keys_(settings.webhook.keys) {
  const auto& webhook = settings.webhook;
  if (webhook.url.empty())
    return;
  auto url = parse_http_url(webhook.url);
  if (!url)
    throw std::invalid_argument("webhook.url is no URL");
  client_.emplace(std::move(*url), webhook.ca_file, webhook.timeout_ms, keys_);
}

void webhook_teller::start(
  caf::actor_system& system, const supervision& children, const config& settings, metrics& numbers,
  webhook_memory memory) {
  if (!client_)
    return;
  const auto post =
    [client =
       &*client_](const webhook_batch& batch, std::function<void(const webhook_answered&)> done) {
      client->post(batch, std::move(done));
    };
  actor_ = spawn_webhooks(
    system, children.child("webhooks"), settings.webhook, post, numbers, std::move(memory));
}

void webhook_teller::flush(caf::actor_system& system, std::chrono::milliseconds wait) const {
  if (actor_)
    (void)ask<void>(system, actor_, herald::flush{}, wait);
}

registry_memory registry_memory_of(
  const config& settings, journal_actor journal, recovered_journal& past, bool ends) {
  registry_memory memory;
  if (!journal)
    return memory;
  memory.journal = std::move(journal);
  memory.max_queue_events = settings.journal.max_queue_events;
  memory.max_queue_bytes = settings.journal.max_queue_bytes;
  memory.events = std::move(past.snapshot.events);
  memory.values = std::move(past.snapshot.values);
  memory.topics = std::move(past.snapshot.topics);
  memory.pages = std::move(past.snapshot.pages);
  memory.revocations = std::move(past.snapshot.revocations);
  memory.history_floor = past.snapshot.history_floor;
  memory.last_id = past.snapshot.ids_upto;
  memory.ids_reserved = past.ids_reserved;
  if (ends)
    for (const auto& stream : past.snapshot.streams)
      memory.ending.push_back(stream.stream);
  return memory;
}

webhook_memory webhook_memory_of(
  journal_actor journal, const journal_snapshot& past, const std::vector<stream_kept>& adopted) {
  webhook_memory memory;
  if (!journal)
    return memory;
  memory.journal = std::move(journal);
  memory.left = past.webhooks;
  for (const auto& stream : adopted)
    memory.still_open.push_back(stream.stream);
  const auto& told = past.webhooks.ended;
  for (const auto& one : past.tasks)
    if (is_final(one.task.status) && std::find(told.begin(), told.end(), one.task.id) == told.end())
      memory.ended.push_back(one.task);
  return memory;
}

} // namespace herald
