#include "http/api/event_api.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "http/api/keyed_requests.hpp"
#include "http/keys/api_access.hpp"
#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/protocol/url.hpp"
#include "http/server/ask.hpp"
#include "http/server/request_arguments.hpp"

namespace herald {

namespace {

using std::chrono::milliseconds;

/// Of one look back.
constexpr std::size_t max_look_back_topics = 1000;

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

/// What a stream would hear that has these parameters, or nothing where there are none.
caf::expected<std::optional<reach>> listener_of(const api_request& request) {
  reach who;
  bool named = false;
  const auto broken = [](std::string_view rule, const char* name) {
    return fail(ec::invalid_field, std::string{rule}, name);
  };
  for (auto& [name, value] : query_arguments(request.raw_query)) {
    if (name == "after" || name == "limit")
      continue;
    named = true;
    if (!value)
      return fail(ec::invalid_field, "must be percent-encoded", name);
    if (name == "topic") {
      if (const auto rule = pattern_violation(*value))
        return broken(*rule, "topic");
      who.patterns.push_back(std::move(*value));
    } else if (name == "request_id") {
      if (const auto rule = request_id_violation(*value))
        return broken(*rule, "request_id");
      who.page = request_id{std::move(*value)};
    } else if (name == "subject" || name == "role") {
      if (const auto rule = principal_violation(*value))
        return fail(ec::invalid_field, std::string{*rule}, name);
      if (name == "subject")
        who.subject = std::move(*value);
      else
        who.roles.push_back(std::move(*value));
    }
  }
  if (who.patterns.size() > max_look_back_topics)
    return fail(
      ec::invalid_field, "may be given " + std::to_string(max_look_back_topics) + " times",
      "topic");
  const auto broadcast = request.argument("broadcast");
  if (broadcast) {
    const auto on = switch_argument(request, "broadcast");
    if (!on)
      return on.error();
    who.broadcast = *on;
  }
  return named ? std::optional{std::move(who)} : std::nullopt;
}

/// Where the key of the request may not publish one of the events; else counts them against what it
/// may.
std::optional<api_reply> not_allowed(const api_request& request, const std::vector<draft>& drafts) {
  if (!request.by)
    return std::nullopt;
  for (const auto& event : drafts)
    if (const auto why = publish_violation(request.by->key, event.to))
      return insufficient_scope(*why, scope::events_publish);
  request.by->published(std::chrono::steady_clock::now(), drafts.size(), request.body.size());
  return std::nullopt;
}

api_reply look_back(
  caf::actor_system& system, const connection_registry_actor& registry,
  const api_request& request) {
  const auto limit = number_argument(request, "limit", 1, max_page_limit);
  if (!limit)
    return problem(limit.error());
  list_events query;
  query.limit = static_cast<std::size_t>(limit->value_or(default_page_limit));
  if (const auto after = request.argument("after")) {
    query.after = parse_event_id(*after);
    if (!query.after)
      return problem(failure{ec::invalid_field, "must be the id of an event", "after"});
  }
  auto who = listener_of(request);
  if (!who)
    return problem(who.error());
  query.who = std::move(*who);
  const auto page = ask<event_page>(system, registry, std::move(query));
  return page ? json_reply(200, to_json(*page)) : problem(page.error());
}

} // namespace

void add_event_routes(
  router& routes, caf::actor_system& system, const publisher_actor& publisher,
  const event_limits& limits, milliseconds unless_said) {
  route_input takes{{"wait", "wait_ms"}};
  takes.longest = [unless_said](const api_request& request) {
    const auto wait = wait_of(request, unless_said);
    return (wait ? wait->value_or(milliseconds{0}) : milliseconds{0}) + ask_deadline;
  };
  routes.add(
    "POST", "/api/events", std::move(takes),
    [&system, publisher, limits, unless_said](const api_request& request) {
      const auto wait = wait_of(request, unless_said);
      if (!wait)
        return problem(wait.error());
      auto events = parse_events(request.body, limits, format_of(request));
      if (!events)
        return problem(events.error());
      if (auto refused = not_allowed(request, events->drafts))
        return std::move(*refused);
      const bool waits = wait->has_value();
      const auto longest = wait->value_or(milliseconds{0});
      const auto reply_of = [waits, many = events->many](const publish_receipt& receipt) {
        return json_reply(
          waits ? 200 : 202,
          many ? batch_receipt_json(receipt, waits) : receipt_json(receipt, waits));
      };
      publish command{std::move(events->drafts), waits, longest};
      if (request.once)
        command.once = publish_once(request, reply_of);
      const auto receipt =
        ask<publish_receipt>(system, publisher, std::move(command), longest + ask_deadline);
      return receipt ? reply_of(*receipt) : problem(receipt.error());
    });
}

void add_look_back_route(
  router& routes, caf::actor_system& system, const connection_registry_actor& registry) {
  const std::vector<std::string> parameters{"after",   "limit", "topic",    "request_id",
                                            "subject", "role",  "broadcast"};
  routes.add(
    "GET", "/api/events", {parameters, false, false, "topic"},
    [&system, registry](const api_request& request) {
      return look_back(system, registry, request);
    });
}

} // namespace herald
