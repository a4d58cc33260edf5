#include "http/sockets/run_guarded.hpp"

#include <exception>
#include <new>

#include "actors/telemetry/log.hpp"

namespace herald {

void run_guarded(boost::asio::io_context& io, std::string_view component) {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::bad_alloc&) {
      // A line of the log would need what there is none of.
    } catch (const std::exception& e) {
      log::error(component, "step_failed", {{"what", e.what()}});
    }
  }
}

} // namespace herald
