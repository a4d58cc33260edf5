#include "http/service/stand_in_service.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include <caf/send.hpp>

#include "actors/stand_in/stand_in_front.hpp"
#include "actors/system/descriptor_channel.hpp"
#include "actors/telemetry/log.hpp"
#include "http/admission/stream_request_check.hpp"
#include "http/api/connection_list_api.hpp"
#include "http/api/internal_send_api.hpp"
#include "http/clients/backend_client.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/api_server.hpp"
#include "http/server/ask.hpp"
#include "http/service/service_parts.hpp"
#include "http/service/supervision.hpp"
#include "http/streams/stream_endpoint.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;

/// Null where there is no backend yet.
std::shared_ptr<backend_client> make_client(const config& settings, metrics& numbers) {
  if (settings.callback.url.empty())
    return nullptr;
  backend_client_options options{settings.callback};
  options.io_uring = settings.stream.io_uring;
  auto made = backend_client::make(std::move(options), numbers);
  if (!made)
    throw std::invalid_argument("callback.url " + describe(made.error()).detail);
  return *made;
}

/// As gateways keep the connections of their backends.
constexpr auto gateway_keep_alive = 5s;

/// Between the one port of a gateway and the API.
struct descriptor_channels {
  descriptor_channel to_api;
  descriptor_channel from_api;
};

stream_options stand_in_options(const config& settings, const descriptor_channels& channels) {
  auto options = stream_options_of(settings);
  options.stand_in = true;
  options.configured = !settings.callback.url.empty();
  if (settings.gateway.one_port) {
    options.to_api = channels.to_api.entrance();
    options.from_api = channels.from_api.exit();
  }
  options.generation = settings.gateway.format;
  options.format = frames_of(options.generation);
  return options;
}

stand_in_streams::limits buffer_limits(const callback_settings& settings) {
  return {
    settings.max_buffered_events, settings.max_buffered_bytes, settings.max_buffered_total_bytes,
    settings.max_kept_bytes, settings.max_identity_bytes};
}

/// Refuses the callbacks of a gateway, with the reason: this herald is no backend.
void add_callback_hint(router& routes) {
  routes.add("POST", "/api/sse/callback", foreign_protocol, [](const api_request&) {
    return problem(failure{
      ec::gateway_mode_off,
      "this herald stands in for a gateway: callback.url is set, and that is who it calls back",
      {}});
  });
}

class stand_in_service final : public service {
public:
  stand_in_service(
    const config& settings, caf::actor_system& system, metrics& numbers,
    std::function<void()> give_up, const route_adder& more)
    : settings_(settings),
      access_(access_rules_of(settings), task_seal_of({}), numbers),
      system_(system),
      client_(make_client(settings, numbers)),
      webhooks_(settings),
      supervision_(system, settings, numbers, std::move(give_up)),
      watcher_(make_watcher(numbers)),
      caller_(spawn_backend_caller(system, supervision_.child("backend-caller"), client_)),
      front_(spawn_stand_in_front(
        system, supervision_.child("gateway-front"), buffer_limits(settings.callback), caller_,
        numbers, settings.gateway.format, watcher_)),
      endpoint_(
        system, stand_in_options(settings, channels_), front_, numbers, supervision_.address()) {
    for (auto* routes : {&routes_, &one_port_routes_})
      add_internal_send_api(*routes, system, front_, {settings.api.max_event_bytes});
    add_callback_hint(routes_);
    add_connection_list_route(routes_, system, front_);
    add_service_routes(routes_, system, supervision_.address(), phase_, numbers, more);
    add_signposts(routes_, "port " + std::to_string(endpoint_.port()) + " (stream.port)");
    api_.emplace(api_options_of(settings), routes_, numbers, side_door(), &access_);
  }

  ~stand_in_service() override {
    stop_api();
    (void)supervision_.end_actors();
  }

  [[nodiscard]] open_ports ports() const override { return {api_->port(), endpoint_.port()}; }

  void start() override {
    if (!client_)
      log::warning(
        "gateway", "not_configured",
        {{"what", "callback.url (CALLBACK_URL) is not set: pages are answered 503"}});
    log_closed_routes(settings_);
    endpoint_.start();
    phase_ = service_phase::running;
    api_->start();
    taking_over_ = std::thread{[this] {
      while (auto parcel = channels_.to_api.receive())
        api_->take_over(parcel->descriptor.release(), std::move(parcel->bytes));
    }};
  }

  void reconfigure(const config& now) override {
    access_.replace(access_rules_of(now));
    log_closed_routes(now);
    api_->reconfigure(now.api);
    endpoint_.reconfigure(now.stream, now.limits);
    webhooks_.reconfigure(now);
  }

  std::vector<std::string> shut_down(shutdown_reason why) override {
    // Told before `/readyz` says so, without waiting: who knows from there is refused.
    caf::anon_send(front_, begin_shutdown{});
    phase_ = service_phase::shutting_down;
    const auto wait = patience(why);
    const auto verdict = why == shutdown_reason::asked ? settings_.callback.timeout_ms + 1s : wait;
    // Clients that wait for the backend's verdict get it, then all streams end, then the backend
    // hears of that.
    (void)ask<void>(system_, front_, begin_shutdown{}, verdict);
    endpoint_.drain(std::chrono::steady_clock::now() + wait);
    (void)ask<void>(system_, front_, flush{}, verdict);
    stop_api();
    webhooks_.flush(system_, wait);
    return supervision_.end_actors();
  }

private:
  watcher_actor make_watcher(metrics& numbers) {
    webhooks_.start(system_, supervision_, settings_, numbers);
    return webhooks_.watcher();
  }

  /// For connections that came in by the port of the streams. Of the API nothing else can be
  /// reached there.
  [[nodiscard]] api_side_door side_door() const {
    return {
      &one_port_routes_,
      settings_.stream.hosts,
      "stream.hosts",
      gateway_keep_alive,
      is_for_api,
      [to_loops = channels_.from_api.entrance()](int descriptor, std::string_view read) {
        return descriptor_channel::send(to_loops, descriptor, read);
      }};
  }

  void stop_api() {
    channels_.to_api.close();
    if (taking_over_.joinable())
      taking_over_.join();
    if (api_)
      api_->stop();
  }

  const config settings_;
  api_access access_;
  caf::actor_system& system_;
  std::atomic<service_phase> phase_ = service_phase::starting;
  router routes_;
  /// What the API has for the one port of a gateway.
  router one_port_routes_;
  std::shared_ptr<backend_client> client_;
  webhook_teller webhooks_;
  supervision supervision_;
  watcher_actor watcher_;
  backend_caller_actor caller_;
  stand_in_front_actor front_;
  descriptor_channels channels_;
  std::thread taking_over_;
  stream_endpoint endpoint_;
  /// Made last: it wants all routes.
  std::optional<api_server> api_;
};

} // namespace

std::unique_ptr<service> make_stand_in_service(
  const config& settings, caf::actor_system& system, metrics& numbers,
  std::function<void()> give_up, const route_adder& more) {
  return std::make_unique<stand_in_service>(settings, system, numbers, std::move(give_up), more);
}

} // namespace herald
