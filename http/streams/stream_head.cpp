#include "http/streams/stream_head.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "http/protocol/http_date.hpp"
#include "http/protocol/problem.hpp"
#include "http/protocol/request_line.hpp"
#include "http/protocol/url.hpp"
#include "messages/text/ascii.hpp"

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

bool is_probe(std::string_view path, const head_rules& rules) {
  return path == "/healthz" || (rules.stand_in && path == "/readyz");
}

/// What is wrong where a query has no request_id that can be read.
const char* why_missing(std::string_view query) {
  const bool given = query.starts_with("request_id=") || query.find("&request_id=") != query.npos;
  return given ? "must be percent-encoded" : "is required";
}

/// The header beats the query: EventSource sends it only when it comes back, to the same URL.
std::optional<std::string>
last_event_id(const stream_request& request, const std::map<std::string, std::string>& query) {
  if (const auto header = request.header("Last-Event-ID"); header && !header->empty())
    return std::string{*header};
  if (const auto found = query.find("last_event_id");
      found != query.end() && !found->second.empty())
    return found->second;
  return std::nullopt;
}

} // namespace

header_list cors_headers(const stream_request& request, const std::vector<std::string>& origins) {
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
check_head(const stream_request& request, const head_rules& rules) {
  auto cors = cors_headers(request, rules.cors_origins);
  const auto hosts =
    std::count_if(request.headers.begin(), request.headers.end(), [](const auto& h) {
      return same_ignoring_case(h.first, "Host");
    });
  if (hosts > 1 || (hosts == 0 && request.version >= 11))
    return with(
      problem(failure{ec::malformed_request, "one Host header is required", "Host"}), cors);

  if (!is_request_target(request.method, request.target))
    return with(problem(failure{ec::malformed_request, no_target, {}}), cors);
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

std::string render_stream_head(bool http_1_0, const header_list& cors) {
  std::string head = "HTTP/1.1 200 OK\r\n"
                     "Content-Type: text/event-stream\r\n"
                     "Cache-Control: no-cache, no-transform\r\n"
                     "X-Accel-Buffering: no\r\n";
  head += http_1_0 ? "Connection: close\r\n" : "Connection: keep-alive\r\n";
  head.append("Date: ").append(http_date_now()).append("\r\n");
  for (const auto& [name, value] : cors)
    head.append(name).append(": ").append(value).append("\r\n");
  head += "\r\n";
  return head;
}

} // namespace herald
