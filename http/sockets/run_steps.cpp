#include "http/sockets/run_steps.hpp"

#include <exception>

#include "actors/telemetry/log.hpp"

namespace herald {

void run_steps(boost::asio::io_context& io, std::string_view component) {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception& e) {
      log::error(component, "step_failed", {{"what", e.what()}});
    }
  }
}

} // namespace herald
