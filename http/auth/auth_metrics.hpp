#pragma once

#include <string>
#include <string_view>

#include <prometheus/counter.h>

#include "actors/telemetry/metrics.hpp"

namespace herald {

/// The one counter of who was let in and who was not, of both ports. `result` and `port` ("api",
/// "stream") are from small fixed sets.
inline prometheus::Counter&
auth_counter(metrics& numbers, std::string_view result, std::string_view port) {
  return numbers.counter(
    "herald_auth_total", "Requests by what was found of who asks.",
    {{"result", std::string{result}}, {"port", std::string{port}}});
}

} // namespace herald
