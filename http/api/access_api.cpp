#include "http/api/access_api.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "messages/json/json_objects.hpp"
#include "messages/json/json_writer.hpp"

namespace herald {

namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr double default_ttl_s = 3600;
/// Of a `jti`; other credentials have it from here or from a token, whose length is limited.
constexpr std::size_t max_jti_bytes = 255;

/// What the handlers work on.
struct access_at {
  caf::actor_system& system;
  revoker_actor registry;
  ticket_book& tickets;
  auth_options rules;
};

using rule = std::optional<std::string_view> (*)(std::string_view);

/// A list of texts that obey a rule.
std::vector<std::string>
names_in(json_reader& in, std::string_view field, std::size_t most, rule obeyed) {
  auto all = in.optional_texts(field, most, true).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < all.size(); ++i)
    if (const auto broken = obeyed(all[i]))
      in.blame(
        ec::invalid_field, std::string{*broken},
        std::string{field}.append("[").append(std::to_string(i)).append("]"));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// A subject, or nothing.
std::string subject_in(json_reader& in, std::string_view field) {
  const auto subject = in.optional_text(field);
  if (!subject)
    return {};
  if (const auto broken = principal_violation(*subject))
    in.blame(ec::invalid_field, std::string{*broken}, field);
  return *subject;
}

struct ticket_order {
  stream_grant grant;
  request_id page;
  seconds ttl{};
};

caf::expected<ticket_order> parse_order(std::string_view body, const auth_options& rules) {
  return parse_object(body, [&rules](json_reader& in) {
    ticket_order order;
    order.page = in.optional_id("request_id").value_or(request_id{});
    order.grant.subject = subject_in(in, "subject");
    order.grant.roles = names_in(in, "roles", rules.max_roles, principal_violation);
    order.grant.topics = names_in(in, "topics", rules.max_topics, pattern_violation);
    const auto longest = duration_cast<seconds>(rules.max_lifetime_s).count();
    const auto ttl =
      in.optional_number("ttl_s").value_or(std::min(default_ttl_s, static_cast<double>(longest)));
    if (ttl < 1 || ttl > static_cast<double>(longest) || ttl != std::floor(ttl))
      in.blame(
        ec::invalid_field,
        "must be a whole number from 1 to " + std::to_string(longest) + " (auth.max_lifetime_s)",
        "ttl_s");
    else
      order.ttl = seconds{static_cast<seconds::rep>(ttl)};
    return order;
  });
}

api_reply issue_ticket(const access_at& at, const api_request& request) {
  auto order = parse_order(request.body, at.rules);
  if (!order)
    return problem(order.error());
  const auto now = system_clock::now();
  order->grant.issued_at = now;
  order->grant.expires_at = now + order->ttl;
  const auto ticket = at.tickets.issue(std::move(order->grant), order->page, now);
  if (!ticket)
    return problem(failure{
      ec::overloaded,
      "as many tickets as may be are good already (auth.max_tickets, auth.max_ticket_bytes)",
      {}});
  const auto use_within = std::min(ticket_book::use_within, order->ttl);
  auto reply = json_reply(
    201, object_writer{}
           .text("ticket", *ticket)
           .number("use_within_s", static_cast<std::size_t>(use_within.count()))
           .number("ttl_s", static_cast<std::size_t>(order->ttl.count()))
           .finish());
  // It is a secret.
  reply.headers.emplace_back("Cache-Control", "no-store");
  return reply;
}

/// By when every credential that is good now, or was issued before then, has ended by itself.
wall_time end_of(const revocation& what, const auth_options& rules) {
  const auto latest = std::max(system_clock::now(), what.issued_before);
  return latest + rules.max_lifetime_s + 2 * rules.leeway_s;
}

caf::expected<revoke_access> parse_revocation(std::string_view body, const auth_options& rules) {
  return parse_object(body, [&rules](json_reader& in) {
    revoke_access order;
    auto& what = order.what;
    const auto jti = in.optional_text("jti");
    what.credential_id = jti.value_or("");
    what.subject = subject_in(in, "sub");
    const auto before = in.optional_number("issued_before");
    const auto now = system_clock::now();
    if (jti && (jti->empty() || jti->size() > max_jti_bytes))
      in.blame(ec::invalid_field, "must have 1 to 255 bytes", "jti");
    else if (!jti && what.subject.empty())
      in.blame(ec::invalid_field, "is required (or sub)", "jti");
    else if (jti && !what.subject.empty())
      in.blame(ec::invalid_field, "must not be given beside jti", "sub");
    else if (jti && before)
      in.blame(ec::invalid_field, "must not be given beside jti", "issued_before");
    if (jti)
      return order;
    what.issued_before = now;
    const auto latest = now + rules.max_lifetime_s;
    const auto most =
      static_cast<double>(duration_cast<seconds>(latest.time_since_epoch()).count());
    if (before && !(*before >= 0 && *before <= most))
      in.blame(
        ec::invalid_field,
        "must be a time in seconds since 1970, at most auth.max_lifetime_s from now",
        "issued_before");
    else if (before)
      what.issued_before =
        wall_time{duration_cast<wall_time::duration>(std::chrono::duration<double>{*before})};
    return order;
  });
}

api_reply revoke(const access_at& at, const api_request& request) {
  auto order = parse_revocation(request.body, at.rules);
  if (!order)
    return problem(order.error());
  order->until = end_of(order->what, at.rules);
  const auto done = ask<void>(at.system, at.registry, std::move(*order));
  return done ? json_reply(204, {}) : problem(done.error());
}

} // namespace

void add_access_routes(
  router& routes, caf::actor_system& system, const revoker_actor& registry, ticket_book& tickets,
  const auth_options& rules) {
  using handler = api_reply (*)(const access_at&, const api_request&);
  const auto add = [&](const char* pattern, const route_input& takes, handler handle) {
    routes.add(
      "POST", pattern, takes,
      [at = access_at{system, registry, tickets, rules}, handle](const api_request& request) {
        if (!at.rules.asks())
          return problem(
            failure{ec::no_such_route, "streams need no credential here (auth.mode)", {}});
        return handle(at, request);
      });
  };
  add("/api/tickets", unkeyed_route, issue_ticket);
  add("/api/revocations", no_parameters, revoke);
}

} // namespace herald
