#pragma once

#include "http/service/service.hpp"

namespace herald {

/// herald as a process, from its arguments to its exit code: reads the settings, runs the service
/// that they ask for, and ends it on SIGTERM, SIGINT, or when it gives up. `more` may be none.
[[nodiscard]] int run_process(int argc, char** argv, const route_adder& more = {});

} // namespace herald
