#pragma once

#include <string>
#include <string_view>

#include <prometheus/counter.h>

#include "actors/telemetry/metrics.hpp"

namespace herald {

/// The one counter of who was let in and who was not, of both ports and of a gateway's pages.
/// `result` and `port` ("api", "stream", "gateway") are from small fixed sets.
inline prometheus::Counter&
auth_counter(metrics& numbers, std::string_view result, std::string_view port) {
  return numbers.counter(
    "herald_auth_total", "Requests by what was found of who asks.",
    {{"result", std::string{result}}, {"port", std::string{port}}});
}

/// The one counter of addresses whose failed attempts were forgotten, of both ports.
inline prometheus::Counter& addresses_forgotten(metrics& numbers) {
  return numbers.counter(
    "herald_auth_addresses_forgotten_total",
    "Addresses whose failed attempts were forgotten for want of room.");
}

} // namespace herald
