#include "messages/backend.hpp"

namespace herald {

std::string_view to_string(callback_action action) {
  return action == callback_action::connect ? "connect" : "disconnect";
}

} // namespace herald
