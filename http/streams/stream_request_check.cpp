#include "http/streams/stream_request_check.hpp"

#include <algorithm>
#include <utility>

#include "http/protocol/problem.hpp"
#include "http/protocol/url.hpp"

namespace herald {

namespace {

constexpr std::string_view allowed_methods = "GET, HEAD, OPTIONS";

api_reply with(api_reply reply, const header_list& headers) {
  reply.headers.insert(reply.headers.end(), headers.begin(), headers.end());
  return reply;
}

api_reply ready() {
  api_reply reply;
  reply.body = R"({"status":"ok"})";
  return reply;
}

/// The answer to OPTIONS, which is also what a browser asks before a request of another origin.
api_reply preflight() {
  api_reply reply;
  reply.status = 204;
  reply.headers = {
    {"Allow", std::string{allowed_methods}},
    {"Access-Control-Allow-Methods", std::string{allowed_methods}},
    {"Access-Control-Allow-Headers", "Cache-Control, Last-Event-ID"},
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

/// The fault of a query that has no request_id, or none that can be read.
const char* why_missing(std::string_view query) {
  const bool given = query.starts_with("request_id=") || query.find("&request_id=") != query.npos;
  return given ? "must be percent-encoded" : "is required";
}

/// The header beats the query: EventSource sends it only when it comes back, to the same URL.
std::optional<std::string>
last_event_id(const request_head& request, const std::map<std::string, std::string>& query) {
  if (const auto header = request.header("Last-Event-ID"); header && !header->empty())
    return std::string{*header};
  if (const auto found = query.find("last_event_id");
      found != query.end() && !found->second.empty())
    return found->second;
  return std::nullopt;
}

} // namespace

header_list cors_headers(const request_head& request, const std::vector<std::string>& origins) {
  const auto listed = [&](std::string_view origin) {
    return std::find(origins.begin(), origins.end(), origin) != origins.end();
  };
  if (listed("*"))
    return {{"Access-Control-Allow-Origin", "*"}};
  if (origins.empty())
    return {};
  header_list headers = {{"Vary", "Origin"}};
  if (const auto origin = request.header("Origin"); origin && listed(*origin))
    headers.emplace_back("Access-Control-Allow-Origin", *origin);
  return headers;
}

std::variant<stream_opening, api_reply>
check_stream_request(const request_head& request, const stream_rules& rules) {
  auto cors = cors_headers(request, rules.cors_origins);
  const auto target = split_target(request.target);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool probes = is_probe(target.path, rules);
  if (probes && reads)
    return with(ready(), cors);
  if (!probes && !rules.stand_in && target.path != stream_path)
    return with(problem(failure{ec::no_such_route, "no stream is served here", {}}), cors);
  if (request.method == "OPTIONS")
    return with(preflight(), cors);
  if (!reads)
    return with(wrong_method(), cors);

  const auto query = parse_query(target.query);
  const auto id = query.find("request_id");
  const auto violation =
    id == query.end() ? why_missing(target.query) : request_id_violation(id->second);
  if (violation && !rules.stand_in)
    return with(
      problem(
        failure{ec::invalid_field, std::string{"request_id "}.append(*violation), "request_id"}),
      cors);
  if (request.method == "HEAD") {
    api_reply reply;
    reply.content_type = "text/event-stream";
    reply.headers = {{"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}};
    return with(std::move(reply), cors);
  }

  stream_opening opening;
  if (!violation)
    opening.id = request_id{id->second};
  opening.url = request.target;
  opening.last_event_id = last_event_id(request, query);
  opening.cors = std::move(cors);
  opening.http_1_0 = request.version < 11;
  if (rules.stand_in)
    opening.headers = std::make_shared<const header_list>(request.headers);
  return opening;
}

} // namespace herald
