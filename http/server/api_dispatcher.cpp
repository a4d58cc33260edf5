#include "http/server/api_dispatcher.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

#include "actors/telemetry/log.hpp"
#include "http/protocol/problem.hpp"
#include "http/protocol/url.hpp"
#include "http/server/request_arguments.hpp"
#include "http/server/request_guard.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

constexpr const char* unmatched = "unmatched";

std::string allow_list(const std::vector<std::string>& methods) {
  std::string list;
  for (const auto& method : methods) {
    list += method + ", ";
    if (method == "GET")
      list += "HEAD, ";
  }
  return list + "OPTIONS";
}

bool has_broken_escape(std::string_view target) {
  return target.find('%') != std::string_view::npos && !percent_decode(target);
}

api_reply no_route(const request_head& head, const router::match& match) {
  if (head.method == "OPTIONS" && head.target == "*")
    return {204, {}, {}, {}};
  if (match.allowed.empty())
    return problem({ec::no_such_route, "there is nothing at this path", {}});
  api_reply reply;
  if (head.method == "OPTIONS")
    reply = {204, {}, {}, {}};
  else
    reply = problem({ec::method_not_allowed, "this path does not have this method", {}});
  reply.headers.emplace_back("Allow", allow_list(match.allowed));
  return reply;
}

/// What `answer` gives; a problem where it throws.
template <class Function>
api_reply run(const router::route& route, const Function& answer) {
  const char* what = "unknown exception";
  std::string text;
  try {
    return answer();
  } catch (const std::bad_alloc&) {
    // Neither a line of the log nor an answer could be made.
    throw;
  } catch (const std::exception& e) {
    text = e.what();
    what = text.c_str();
  } catch (...) {
  }
  log::error("api", "handler_failed", {{"route", route.pattern}, {"what", what}});
  return problem({ec::internal, "internal error while handling this request", {}});
}

/// Adds the headers that the answer does not have by itself.
void add_missing(router::header_list headers, api_reply& reply) {
  for (auto& header : headers) {
    const auto same = [&header](const auto& one) {
      return one.first == header.first;
    };
    if (std::none_of(reply.headers.begin(), reply.headers.end(), same))
      reply.headers.push_back(std::move(header));
  }
}

/// The key that the request has, if it may have one.
std::optional<std::string> key_of(const request_head& head, const router::route& route) {
  std::optional<std::string> key;
  if (head.method != "POST" || route.takes.foreign || route.takes.unkeyed)
    return key;
  for (const auto& [name, value] : head.headers) {
    if (!same_ignoring_case(name, "Idempotency-Key"))
      continue;
    if (key)
      key->append(", ").append(value);
    else
      key = value;
  }
  return key;
}

access_question
question_of(const request_head& head, const router::match& match, const client_address& from) {
  if (match.found == nullptr)
    return {head, {}, {}, match.path_arguments, from};
  return {head, match.found->method, match.found->pattern, match.path_arguments, from};
}

/// The `method` label of a request that no route takes, where clients could make up any.
std::string_view known_method(std::string_view method) {
  for (const std::string_view known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
    if (method == known)
      return known;
  return "other";
}

} // namespace

/// The numbers of one route. A counter per status is made when the status first occurs.
struct api_dispatcher::route_numbers {
  std::string pattern;
  std::array<std::atomic<prometheus::Counter*>, 500> by_status{};
  prometheus::Histogram* duration = nullptr;

  void count(metrics& numbers, std::string_view method, int status) {
    auto& cached = by_status.at(static_cast<std::size_t>(std::clamp(status, 100, 599) - 100));
    auto* counter = cached.load(std::memory_order_acquire);
    if (counter == nullptr) {
      counter = &numbers.counter(
        "herald_api_requests_total", "Requests answered by the API.",
        {{"route", pattern}, {"method", std::string(method)}, {"status", std::to_string(status)}});
      // Requests without a route differ in their method: not to be cached.
      if (pattern != unmatched)
        cached.store(counter, std::memory_order_release);
    }
    counter->Increment();
  }
};

api_dispatcher::api_dispatcher(const router& routes, metrics& numbers, api_access* access)
  : routes_(routes),
    metrics_(numbers),
    access_(access) {
  const auto add = [&](const router::route* route, const std::string& pattern) {
    auto added = std::make_unique<route_numbers>();
    added->pattern = pattern;
    added->duration = &numbers.latency(
      "herald_api_request_duration_seconds", "From a complete request to its answer.",
      {{"route", pattern}});
    numbers_.emplace(route, std::move(added));
  };
  add(nullptr, unmatched);
  for (const auto& route : routes.routes())
    add(&route, route.pattern);
}

api_dispatcher::~api_dispatcher() = default;

bool api_dispatcher::is_reserved(const request_head& head) const {
  const auto match = routes_.find(head.method, split_target(head.target).path);
  return match.found != nullptr && match.found->takes.reserved;
}

/// None for a target that cannot be read.
router::match api_dispatcher::match_of(const request_head& head) const {
  return has_broken_escape(head.target) ? router::match{}
                                        : routes_.find(head.method, split_target(head.target).path);
}

std::optional<api_reply>
api_dispatcher::refusal(const request_head& head, const client_address& from) {
  if (access_ == nullptr || !access_->active())
    return std::nullopt;
  const auto match = match_of(head);
  auto refused =
    access_->check(question_of(head, match, from), std::chrono::steady_clock::now()).refusal;
  if (refused)
    count(head, match, refused->status);
  return refused;
}

api_reply
api_dispatcher::answer(const request_head& head, std::string body, const client_address& from) {
  const auto start = std::chrono::steady_clock::now();
  auto match = match_of(head);
  api_reply reply;
  if (access_ != nullptr && access_->active()) {
    // The one place that every request passes, by whatever door and in whatever form it comes.
    auto verdict = access_->check(question_of(head, match, from), start);
    if (verdict.refusal) {
      reply = std::move(*verdict.refusal);
    } else {
      reply = carry_out(head, std::move(body), match, verdict.caller);
      access_->note(
        question_of(head, match, from), verdict.caller, reply.status,
        std::chrono::steady_clock::now());
    }
  } else {
    reply = carry_out(head, std::move(body), match, nullptr);
  }
  count(head, match, reply.status);
  numbers_.at(match.found)
    ->duration->Observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return reply;
}

void api_dispatcher::count(const request_head& head, const router::match& match, int status) {
  numbers_.at(match.found)
    ->count(
      metrics_, match.found != nullptr ? match.found->method : known_method(head.method), status);
}

api_reply api_dispatcher::carry_out(
  const request_head& head, std::string body, router::match& match, api_caller_ptr by) {
  if (has_broken_escape(head.target))
    return problem(
      {ec::malformed_request,
       "a % in the request target must be followed by two hexadecimal digits",
       {}});
  if (match.found == nullptr)
    return no_route(head, match);
  const auto target = split_target(head.target);
  if (const auto why = query_violation(target.query, match.found->takes))
    return problem(*why);
  if (!body.empty() && !match.found->takes.foreign && !says_json(head)) {
    auto reply = problem(
      {415, "Unsupported media type"},
      "send the body as application/json, or as application/x-ndjson where lines are taken");
    reply.headers.emplace_back("Accept", "application/json, application/x-ndjson");
    return reply;
  }
  auto headers = routes_.headers();
  const auto& route = *match.found;
  api_request request;
  request.method = head.method;
  request.path = target.path;
  request.body = std::move(body);
  request.content_type = head.content_type;
  request.path_arguments = std::move(match.path_arguments);
  request.query = parse_query(target.query);
  request.raw_query = target.query;
  request.by = std::move(by);
  if (routes_.keyed())
    request.idempotency_key = key_of(head, route);
  api_reply reply;
  if (request.idempotency_key) {
    // The headers belong to the answer that is kept.
    const auto carry_out = [&](const api_request& what) {
      auto answer = run(route, [&] { return route.answer(what); });
      add_missing(headers, answer);
      return answer;
    };
    reply = run(route, [&] { return routes_.keyed()(request, route, headers, carry_out); });
  } else {
    reply = run(route, [&] { return route.answer(request); });
  }
  add_missing(std::move(headers), reply);
  return reply;
}

} // namespace herald
