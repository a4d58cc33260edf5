#include "messages/supervision.hpp"

namespace herald {

std::string_view to_string(restart_type type) {
  switch (type) {
  case restart_type::permanent:
    return "permanent";
  case restart_type::transient:
    return "transient";
  case restart_type::temporary:
    return "temporary";
  }
  return "permanent";
}

std::string_view to_string(actor_state state) {
  switch (state) {
  case actor_state::running:
    return "running";
  case actor_state::restarting:
    return "restarting";
  case actor_state::stopped:
    return "stopped";
  }
  return "stopped";
}

bool is_missed(const actor_status& actor) {
  if (actor.state == actor_state::running)
    return false;
  return actor.state == actor_state::restarting || actor.restart != restart_type::temporary;
}

} // namespace herald
