#include "messages/supervision.hpp"

namespace herald {

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

} // namespace herald
