#include "http/admission/stream_request_check.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "http/protocol/gateway_error.hpp"
#include "http/protocol/problem.hpp"
#include "http/protocol/request_origin.hpp"
#include "http/protocol/url.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

constexpr std::string_view allowed_methods = "GET, HEAD, OPTIONS";

api_reply with(api_reply reply, const header_list& headers) {
  add_cors(reply, headers);
  return reply;
}

bool has_header(const header_list& headers, std::string_view name) {
  return std::any_of(
    headers.begin(), headers.end(), [name](const auto& h) { return h.first == name; });
}

bool is_listed(std::string_view origin, const std::vector<std::string>& origins) {
  return std::find(origins.begin(), origins.end(), origin) != origins.end();
}

/// A client without an origin is no page of another site.
bool may_knock(const request_head& request, const std::vector<std::string>& origins) {
  const auto origin = request.header("Origin");
  return !origin || is_listed("*", origins) || is_listed(*origin, origins)
         || is_own_origin(*origin, request);
}

/// Firefox, event-source-polyfill and the package eventsource of version 3 and later keep the ids
/// of events alone (tests/e2e/real_parts_test.cpp). That package runs on Deno and Bun, too: how
/// those call themselves was not tried.
cursor_form cursor_form_for(std::string_view agent) {
  constexpr std::array of_events = {"Mozilla/", "node", "Deno/", "Bun/"};
  const bool event = std::any_of(of_events.begin(), of_events.end(), [&](std::string_view name) {
    return agent.starts_with(name);
  });
  return event ? cursor_form::event : cursor_form::block;
}

api_reply unlisted_origin() {
  return problem({403, "Forbidden"}, "pages of this origin are not listed in stream.cors_origins");
}

/// The answer to a probe.
api_reply probed(std::string_view path, const stream_rules& rules) {
  api_reply reply;
  if (path == "/healthz") {
    reply.body = R"({"status":"ok"})";
  } else if (rules.configured) {
    reply.body = R"({"status":"ready","configured":true})";
  } else {
    reply.status = 503;
    reply.body = R"({"status":"not_ready","configured":false})";
  }
  return reply;
}

bool is_token_list(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~, \t";
  return std::all_of(text.begin(), text.end(), [&](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9')
           || others.find(c) != std::string_view::npos;
  });
}

/// The headers that a page may send: those that its browser asks for. None does harm, and what
/// proxies and backends want is theirs to know.
std::string allowed_headers(const request_head& request) {
  const auto asked = request.header("Access-Control-Request-Headers");
  if (asked && !asked->empty() && is_token_list(*asked))
    return std::string{*asked};
  return "Authorization, Cache-Control, Last-Event-ID";
}

/// The answer to OPTIONS, which is also what a browser asks before a request of another origin.
api_reply preflight(const request_head& request) {
  api_reply reply;
  reply.status = 204;
  reply.headers = {
    {"Allow", std::string{allowed_methods}},
    {"Access-Control-Allow-Methods", std::string{allowed_methods}},
    {"Access-Control-Allow-Headers", allowed_headers(request)},
    {"Access-Control-Max-Age", "86400"},
  };
  return reply;
}

api_reply wrong_method() {
  auto reply =
    problem(failure{ec::method_not_allowed, "this path does not have this method", std::string{}});
  reply.headers.emplace_back("Allow", allowed_methods);
  return reply;
}

bool is_probe(std::string_view path, const stream_rules& rules) {
  return path == "/healthz" || (rules.stand_in && path == "/readyz");
}

/// The header beats the query: EventSource sends it only when it comes back, to the same URL.
std::optional<std::string> last_event_id(const request_head& request, const stream_query& query) {
  if (const auto header = request.header("Last-Event-ID"); header && !header->empty())
    return std::string{*header};
  return query.cursor();
}

} // namespace

header_list cors_headers(const request_head& request, const std::vector<std::string>& origins) {
  header_list headers;
  const bool all = is_listed("*", origins);
  // Where some origins are named, an answer is for the one that asked.
  if (!all || origins.size() > 1)
    headers.emplace_back("Vary", "Origin");
  const auto origin = request.header("Origin");
  if (origin && *origin != "*" && is_listed(*origin, origins)) {
    headers.emplace_back("Access-Control-Allow-Origin", *origin);
    headers.emplace_back("Access-Control-Allow-Credentials", "true");
  } else if (all) {
    headers.emplace_back("Access-Control-Allow-Origin", "*");
  }
  return headers;
}

void add_cors(api_reply& reply, const header_list& cors) {
  const bool waits = has_header(reply.headers, "Retry-After");
  reply.headers.insert(reply.headers.end(), cors.begin(), cors.end());
  if (waits && has_header(cors, "Access-Control-Allow-Origin"))
    reply.headers.emplace_back("Access-Control-Expose-Headers", "Retry-After");
}

api_reply stream_head_reply(const header_list& cors) {
  api_reply reply;
  reply.content_type = "text/event-stream";
  reply.headers = {{"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}};
  return with(std::move(reply), cors);
}

bool is_for_api(const request_head& request) {
  return request.method == "POST" && split_target(request.target).path == "/internal/send";
}

std::variant<stream_opening, api_reply>
check_stream_request(const request_head& request, const stream_rules& rules) {
  auto cors = cors_headers(request, rules.cors_origins);
  if (!rules.hosts.empty() && !names_host(authority_of(request), rules.hosts))
    return with(
      problem({421, "Misdirected request"}, "this host is not listed in stream.hosts"), cors);
  const auto target = split_target(request.target);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool probes = is_probe(target.path, rules);
  if (probes && reads)
    return with(probed(target.path, rules), cors);
  if (!probes && !rules.stand_in && target.path != stream_path)
    return with(
      problem(failure{
        ec::no_such_route,
        "streams are at " + std::string{stream_path} + "; the API has a port of its own (api.port)",
        {}}),
      cors);
  if (!may_knock(request, rules.cors_origins))
    return with(unlisted_origin(), cors);
  if (request.method == "OPTIONS")
    return with(preflight(request), cors);
  if (!reads)
    return with(wrong_method(), cors);

  const stream_query query{target.query, rules.query};
  // Standing in, the query is the backend's to judge.
  if (query.fault() && !rules.stand_in)
    return with(problem(*query.fault()), cors);
  // Where clients are asked for a credential, those that want the head alone are, too.
  if (request.method == "HEAD" && !rules.query.tickets)
    return stream_head_reply(cors);
  if (!rules.configured)
    return with(
      gateway_error(503, "SERVICE_NOT_CONFIGURED", "CALLBACK_URL is not configured"), cors);

  stream_opening opening;
  if (query.id() && !request_id_violation(*query.id()))
    opening.id = request_id{*query.id()};
  // What else a query holds, secrets maybe, is nobody's business but a backend's.
  opening.url = rules.stand_in ? request.target : std::string{target.path};
  opening.last_event_id = last_event_id(request, query);
  if (!rules.stand_in)
    opening.asks = query.asks();
  opening.cors = std::move(cors);
  opening.how = request.version < 11 ? framing::bare : framing::chunked;
  opening.head_only = request.method == "HEAD";
  opening.ticket = query.ticket();
  opening.cursor = cursor_form_for(request.header("User-Agent").value_or(""));
  opening.heartbeat_event = query.heartbeat().has_value() && !rules.stand_in;
  opening.accepts_stream = request.accepts("text/event-stream");
  if (rules.stand_in)
    opening.headers = std::make_shared<const header_list>(request.headers);
  return opening;
}

} // namespace herald
