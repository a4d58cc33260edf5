#include "messages/events.hpp"

namespace herald {

std::string_view to_string(service_type service) {
  switch (service) {
  case service_type::version:
    return "version";
  case service_type::task:
    return "task";
  case service_type::event:
    return "event";
  }
  return "event";
}

} // namespace herald
