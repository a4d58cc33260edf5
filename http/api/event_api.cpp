#include "http/api/event_api.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "http/server/request_arguments.hpp"

namespace herald {

namespace {

using std::chrono::milliseconds;

event_format format_of(const api_request& request) {
  const bool lines =
    request.content_type == "application/x-ndjson" || request.content_type == "application/ndjson";
  return lines ? event_format::ndjson : event_format::json;
}

/// How long the request waits for delivery, nothing where it does not.
caf::expected<std::optional<milliseconds>>
wait_of(const api_request& request, milliseconds unless_said) {
  const auto wait = switch_argument(request, "wait");
  if (!wait)
    return wait.error();
  const auto wait_ms =
    number_argument(request, "wait_ms", 1, static_cast<std::uint64_t>(max_publish_wait.count()));
  if (!wait_ms)
    return wait_ms.error();
  if (!*wait) {
    if (*wait_ms)
      return fail(ec::invalid_field, "is for wait=true only", "wait_ms");
    return std::optional<milliseconds>{};
  }
  return *wait_ms ? milliseconds{**wait_ms} : unless_said;
}

} // namespace

void add_event_routes(
  router& routes, caf::actor_system& system, const publisher_actor& publisher,
  const event_limits& limits, milliseconds unless_said) {
  routes.add(
    "POST", "/api/events", {{"wait", "wait_ms"}},
    [&system, publisher, limits, unless_said](const api_request& request) {
      const auto wait = wait_of(request, unless_said);
      if (!wait)
        return problem(wait.error());
      auto events = parse_events(request.body, limits, format_of(request));
      if (!events)
        return problem(events.error());
      const bool waits = wait->has_value();
      const auto longest = wait->value_or(milliseconds{0});
      const auto receipt = ask<publish_receipt>(
        system, publisher, publish{std::move(events->drafts), waits, longest},
        longest + ask_deadline);
      if (!receipt)
        return problem(receipt.error());
      return json_reply(
        waits ? 200 : 202,
        events->many ? batch_receipt_json(*receipt, waits) : receipt_json(*receipt, waits));
    });
}

} // namespace herald
