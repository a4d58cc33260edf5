#include "http/api/event_api.hpp"

#include <utility>

#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "http/server/request_arguments.hpp"

namespace herald {

namespace {

event_format format_of(const api_request& request) {
  const bool lines =
    request.content_type == "application/x-ndjson" || request.content_type == "application/ndjson";
  return lines ? event_format::ndjson : event_format::json;
}

} // namespace

void add_event_routes(
  router& routes, caf::actor_system& system, const publisher_actor& publisher,
  const event_limits& limits) {
  routes.add(
    "POST", "/api/events", {{"wait"}}, [&system, publisher, limits](const api_request& request) {
      const auto wait = switch_argument(request, "wait");
      if (!wait)
        return problem(wait.error());
      auto events = parse_events(request.body, limits, format_of(request));
      if (!events)
        return problem(events.error());
      const auto deadline = *wait ? publish_wait + ask_deadline : ask_deadline;
      const auto receipt = ask<publish_receipt>(
        system, publisher, publish{std::move(events->drafts), *wait}, deadline);
      if (!receipt)
        return problem(receipt.error());
      return json_reply(
        *wait ? 200 : 202,
        events->many ? batch_receipt_json(*receipt, *wait) : receipt_json(*receipt, *wait));
    });
}

} // namespace herald
