#pragma once

#include <functional>
#include <string>
#include <vector>

#include "actors/telemetry/metrics.hpp"
#include "http/server/router.hpp"

namespace herald {

/// Names what is not ready, e.g. "stream endpoint" or "shutting down"; empty if all is well. Called
/// from many threads at once.
using readiness_check = std::function<std::vector<std::string>()>;

/// `GET /healthz` (the process lives), `GET /readyz` (200, or 503 naming what is not ready, but not
/// where only keys are told of herald's inside) and
/// `GET /metrics` (Prometheus text).
void add_health_routes(router& routes, readiness_check not_ready, const metrics& numbers);

} // namespace herald
