#include "http/service/service.hpp"

#include <utility>

#include "http/service/broadcast_service.hpp"
#include "http/service/stand_in_service.hpp"

namespace herald {

std::unique_ptr<service> make_service(
  const config& settings, caf::actor_system& system, metrics& numbers,
  std::function<void()> give_up, const route_adder& more) {
  if (settings.gateway.one_port || !settings.callback.url.empty())
    return make_stand_in_service(settings, system, numbers, std::move(give_up), more);
  return make_broadcast_service(settings, system, numbers, std::move(give_up), more);
}

} // namespace herald
