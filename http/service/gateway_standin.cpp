#include "http/service/gateway_standin.hpp"

#include <utility>

namespace herald {

caf::expected<gateway_standin> make_gateway_standin(
  caf::actor_system& system, const shell_options& shell, callback_client_options callbacks,
  stand_in_streams::limits bounds, metrics& numbers) {
  auto client = callback_client::make(std::move(callbacks), numbers);
  if (!client)
    return client.error();
  auto caller =
    spawn_backend_caller(system, {"backend-caller", shell.supervisor, shell.numbers}, *client);
  auto front = spawn_stand_in_front(system, shell, bounds, caller, numbers);
  return gateway_standin{std::move(*client), caller, std::move(front)};
}

} // namespace herald
