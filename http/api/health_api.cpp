#include "http/api/health_api.hpp"

#include <utility>

#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"

namespace herald {

void add_health_routes(router& routes, readiness_check not_ready, const metrics& numbers) {
  routes.add(
    "GET", "/healthz", reserved_route, [](const api_request&) { return status_reply(200, "ok"); });
  routes.add(
    "GET", "/readyz", reserved_route,
    [not_ready = std::move(not_ready)](const api_request& request) {
      std::string detail;
      for (const auto& part : not_ready())
        detail += (detail.empty() ? "" : ", ") + part;
      if (!detail.empty())
        return problem({ec::not_ready, request.by ? "not ready" : "not ready: " + detail, {}});
      return status_reply(200, "ready");
    });
  routes.add("GET", "/metrics", reserved_route, [&numbers](const api_request&) {
    auto reply = json_reply(200, numbers.render());
    reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return reply;
  });
}

} // namespace herald
