#include "http/stand_in_service.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

#include "actors/gateway_front.hpp"
#include "actors/supervisor.hpp"
#include "http/api_server.hpp"
#include "http/ask.hpp"
#include "http/callback_client.hpp"
#include "http/health_api.hpp"
#include "http/internal_send_api.hpp"
#include "http/service_parts.hpp"
#include "http/stream_endpoint.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;

std::shared_ptr<callback_client> make_client(const config& settings, metrics& numbers) {
  callback_client_options options;
  options.url = settings.callback.url;
  options.timeout = settings.callback.timeout_ms;
  options.max_in_flight = settings.callback.max_in_flight;
  options.max_queued = settings.callback.max_queued;
  auto made = callback_client::make(std::move(options), numbers);
  if (!made)
    throw std::invalid_argument("callback.url " + describe(made.error()).detail);
  return *made;
}

stream_options stand_in_options(const config& settings) {
  auto options = stream_options_of(settings);
  options.stand_in = true;
  // The backend's verdict, and then some.
  options.open_timeout = settings.callback.timeout_ms + 1s;
  return options;
}

class stand_in_service final : public service {
public:
  stand_in_service(
    const config& settings, caf::actor_system& system, metrics& numbers,
    std::function<void()> give_up)
    : settings_(settings),
      system_(system),
      client_(make_client(settings, numbers)),
      caller_(actors_.own(spawn_backend_caller(system, client_))),
      supervisor_(actors_.own(spawn_supervisor(
        system, {}, [give_up = std::move(give_up)](const std::string&) { give_up(); }, numbers))),
      front_(actors_.own(spawn_gateway_front(
        system, {"gateway-front", supervisor_, &numbers}, {}, caller_, numbers))),
      endpoint_(system, stand_in_options(settings), front_, numbers) {
    internal_send_options send;
    send.max_event_bytes = settings.api.max_event_bytes;
    add_internal_send_api(routes_, system, front_, send);
    add_actor_routes(routes_, system, supervisor_);
    add_health_routes(
      routes_, [this] { return not_ready(system_, supervisor_, phase_); }, numbers);
    api_.emplace(api_options_of(settings), routes_, numbers);
  }

  ~stand_in_service() override { api_->stop(); }

  [[nodiscard]] open_ports ports() const override { return {api_->port(), endpoint_.port()}; }

  void start() override {
    endpoint_.start();
    phase_ = service_phase::running;
    api_->start();
  }

  void shut_down() override {
    phase_ = service_phase::shutting_down;
    // Clients that wait for the backend's verdict get it, then all streams end, then the backend
    // hears of that.
    (void)ask<void>(system_, front_, begin_shutdown{}, settings_.callback.timeout_ms + 1s);
    endpoint_.drain(std::chrono::steady_clock::now() + 5s);
    (void)ask<void>(system_, front_, flush{}, settings_.callback.timeout_ms + 1s);
    api_->stop();
  }

private:
  const config settings_;
  caf::actor_system& system_;
  std::atomic<service_phase> phase_ = service_phase::starting;
  router routes_;
  std::shared_ptr<callback_client> client_;
  actor_owner actors_;
  backend_caller_actor caller_;
  supervisor_actor supervisor_;
  gateway_front_actor front_;
  stream_endpoint endpoint_;
  /// Made last: it wants all routes.
  std::optional<api_server> api_;
};

} // namespace

std::unique_ptr<service> make_stand_in_service(
  const config& settings, caf::actor_system& system, metrics& numbers,
  std::function<void()> give_up) {
  return std::make_unique<stand_in_service>(settings, system, numbers, std::move(give_up));
}

} // namespace herald
