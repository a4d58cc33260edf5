#include "http/api/faults_api.hpp"

#include <nlohmann/json.hpp>

#include "actors/supervision/faults.hpp"
#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"

namespace herald {

namespace {

using nlohmann::json;

std::optional<faults::moment> moment_of(const json& body) {
  const auto text = body.value("moment", "");
  if (text.empty())
    return std::nullopt;
  if (text == "hang")
    return faults::moment::hang;
  return text == "after" ? faults::moment::after : faults::moment::before;
}

} // namespace

void add_faults_routes(router& routes) {
  routes.add("POST", "/api/testing/faults", [](const api_request& request) {
    const auto body = json::parse(request.body, nullptr, false);
    if (!body.is_object())
      return problem({ec::invalid_json, "must be an object", {}});
    faults::plan plan;
    plan.actor = body.value("actor", "");
    plan.when = moment_of(body);
    plan.count = body.value("count", std::size_t{1});
    plan.every = body.value("every", std::size_t{1});
    plan.seed = body.value("seed", std::uint64_t{0});
    faults::arm(std::move(plan));
    return json_reply(202, "{}");
  });
  routes.add("GET", "/api/testing/faults", [](const api_request&) {
    const auto now = faults::count();
    const json document = {{"left", now.left}, {"before", now.before}, {"after", now.after}};
    return json_reply(200, document.dump());
  });
}

} // namespace herald
