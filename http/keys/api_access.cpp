#include "http/keys/api_access.hpp"

#include <algorithm>
#include <utility>

#include <arpa/inet.h>

#include "actors/system/jitter.hpp"
#include "actors/system/secret_source.hpp"
#include "actors/telemetry/log.hpp"
#include "http/auth/auth_metrics.hpp"
#include "http/auth/bearer.hpp"
#include "http/protocol/problem.hpp"
#include "http/protocol/url.hpp"
#include "messages/text/ascii.hpp"
#include "messages/text/utf8.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;

constexpr const char* component = "access";
constexpr std::size_t longest_target_shown = 256;

/// What a request brings, as far as it says who asks.
struct credentials {
  /// Ways in which it says so.
  std::size_t ways = 0;
  /// Of `Authorization: Bearer`; empty: there is none.
  std::string_view bearer;
  /// Of the query.
  std::optional<std::string> secret;
};

/// `secrets`: whether a secret in the query is a way, too. A key in the query never is one, but
/// beside another it shows that who asks does not know which counts.
credentials credentials_of(const request_head& head, bool secrets) {
  credentials found;
  for (const auto& [name, value] : head.headers)
    if (same_ignoring_case(name, "Authorization")) {
      ++found.ways;
      found.bearer = bearer_token(value);
    }
  std::size_t keys_in_query = 0;
  for (auto& [name, value] : query_arguments(split_target(head.target).query)) {
    if (secrets && name == "secret") {
      ++found.ways;
      if (!found.secret)
        found.secret = value.value_or(std::string{});
    } else if (name == "access_token") {
      ++keys_in_query;
    }
  }
  if (found.ways > 0)
    found.ways += keys_in_query;
  return found;
}

std::string text_of(const client_address& address) {
  constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (std::equal(mapped.begin(), mapped.end(), address.begin())) {
    ::inet_ntop(AF_INET, address.data() + mapped.size(), text.data(), text.size());
    return text.data();
  }
  ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  return std::string{text.data()} + "/64";
}

std::string route_text(const access_question& question) {
  if (question.pattern.empty())
    return "unmatched";
  return std::string{question.method}.append(" ").append(question.pattern);
}

/// The path, where a route takes it: another might be anything. Who puts a key there by mistake
/// does not find it in the log.
std::string target_text(const access_question& question) {
  if (question.pattern.empty())
    return "-";
  auto text = utf8_front(split_target(question.head.target).path, longest_target_shown);
  if (const auto at = text.find(api_key_prefix); at != std::string::npos)
    text.replace(at, std::string::npos, "***");
  return text;
}

/// RFC 6750 section 3. `error` empty: who asks has not tried.
std::string challenge(std::string_view error, std::string_view needs = {}) {
  std::string text = R"(Bearer realm="herald")";
  if (!error.empty())
    text.append(R"(, error=")").append(error).append("\"");
  if (!needs.empty())
    text.append(R"(, scope=")").append(needs).append("\"");
  return text;
}

api_reply challenged(const problem_kind& kind, std::string_view detail, std::string value) {
  auto reply = problem(kind, detail);
  reply.headers.emplace_back("WWW-Authenticate", std::move(value));
  return reply;
}

/// One text for all causes.
api_reply invalid_token() {
  return challenged(
    {401, "Unauthorized"}, "this key is not good for this request", challenge("invalid_token"));
}

/// In the words that gateways know.
api_reply no_secret() {
  return problem(failure{ec::unauthorized, "wrong or missing secret", {}});
}

api_reply too_many(std::string_view detail, std::chrono::milliseconds wait) {
  static thread_local jitter spread{secret_source{}()};
  const auto least = std::max<std::chrono::milliseconds>(wait, 1s);
  const auto later = std::chrono::ceil<std::chrono::seconds>(spread(least, least));
  auto reply = problem({429, "Too many requests"}, detail);
  reply.headers.emplace_back("Retry-After", std::to_string(later.count()));
  return reply;
}

const api_caller_ptr& nobody() {
  static const api_caller_ptr caller = std::make_shared<const api_caller>();
  return caller;
}

bool publishes(const route_scope& row) {
  return row.needs == scope::events_publish || row.needs == scope::versions_write;
}

client_rates::limits bounds_of(const limit_settings& limits) {
  return {limits.failed_auth_per_min, 1min, std::max<std::size_t>(limits.max_addresses, 1)};
}

} // namespace

api_access::api_access(access_rules rules, const task_seal& seal, metrics& numbers)
  : seal_(seal),
    failed_(bounds_of(rules.limits)),
    told_(bounds_of(rules.limits)),
    forgotten_(addresses_forgotten(numbers)) {
  for (std::size_t i = 0; i < result_count; ++i)
    counters_.at(i) = &auth_counter(numbers, name_of(static_cast<result>(i)), "api");
  put(std::move(rules));
}

void api_access::replace(access_rules rules) {
  failed_.change(bounds_of(rules.limits));
  told_.change(bounds_of(rules.limits));
  put(std::move(rules));
}

void api_access::put(access_rules rules) {
  const publish_limits each{rules.limits.publishes_per_s, rules.limits.publish_bytes_per_s};
  api_key_set keys{rules.keys, each, state_.read()->keys};
  const bool asks =
    !keys.empty() || !rules.internal_secret.empty() || !rules.callback_secret.empty();
  state_.replace({std::move(rules), std::move(keys)});
  active_ = asks;
}

bool api_access::has_keys() const {
  return !state_.read()->keys.empty();
}

api_access::verdict api_access::check(const access_question& question, time_point now) {
  const auto now_known = state_.read();
  const auto row = scope_of(question.method, question.pattern);
  if (row.by == pass::internal_secret || row.by == pass::callback_secret)
    return check_secret(*now_known, question, row, now);
  if (now_known->keys.empty())
    return {};
  if (row.by == pass::open)
    return {std::nullopt, nobody()};
  return check_key(*now_known, question, row, now);
}

/// What needs no look at what was given.
std::optional<api_access::verdict>
api_access::refuse_early(const access_question& question, std::size_t ways, time_point now) {
  if (ways == 0)
    return refuse(
      question, result::missing, now, {},
      challenged({401, "Unauthorized"}, "send a key as Authorization: Bearer", challenge({})));
  if (ways > 1)
    return refuse(
      question, result::two_ways, now, {},
      challenged(
        {400, "Two credentials"}, "say in one way who asks, and once",
        challenge("invalid_request")));
  if (const auto wait = failed_.wait(question.from, now); wait > 0ms)
    return refuse(
      question, result::limited, now, {},
      too_many("too many attempts from this address have failed", wait));
  return std::nullopt;
}

api_access::verdict api_access::check_key(
  const state& now_known, const access_question& question, const route_scope& row, time_point now) {
  const auto given = credentials_of(question.head, false);
  if (auto refused = refuse_early(question, given.ways, now))
    return std::move(*refused);
  if (row.by == pass::task && given.bearer.starts_with(task_token_prefix)) {
    const bool good = !question.path_arguments.empty()
                      && seal_.is_token_of(given.bearer, task_id{question.path_arguments.front()});
    return good ? verdict{std::nullopt, nobody()} : refuse_wrong(question, row, now);
  }
  auto caller = now_known.keys.find(given.bearer);
  if (!caller)
    return refuse_wrong(question, row, now);
  if (row.by != pass::any_key && !caller->may(row.needs))
    return refuse(
      question, result::insufficient_scope, now, caller->key.name,
      insufficient_scope("this key does not have the scope", row.needs));
  if (caller->rate && publishes(row))
    if (const auto wait = caller->rate->wait(now); wait > 0ms)
      return refuse(
        question, result::over_rate, now, caller->key.name,
        too_many("this key has published as much as it may for now", wait));
  return {std::nullopt, std::move(caller)};
}

api_access::verdict api_access::check_secret(
  const state& now_known, const access_question& question, const route_scope& row, time_point now) {
  const bool internal = row.by == pass::internal_secret;
  const auto& secret = internal ? now_known.rules.internal_secret : now_known.rules.callback_secret;
  if (secret.empty() && now_known.keys.empty())
    return {};
  const auto given = credentials_of(question.head, true);
  if (!internal && !given.secret)
    return refuse(question, result::missing, now, {}, no_secret());
  // A gateway may send what it likes beside the secret of its URL.
  if (auto refused = refuse_early(question, internal ? given.ways : 1, now))
    return std::move(*refused);
  const std::string_view said = given.secret ? std::string_view{*given.secret} : given.bearer;
  if (!secret.empty() && same_secret(secret, said))
    return {std::nullopt, nobody()};
  if (internal && !given.secret)
    if (auto caller = now_known.keys.find(given.bearer))
      return caller->may(row.needs)
               ? verdict{std::nullopt, std::move(caller)}
               : refuse(
                 question, result::insufficient_scope, now, caller->key.name,
                 insufficient_scope("this key does not have the scope", row.needs));
  return refuse_wrong(question, row, now);
}

api_access::verdict
api_access::refuse_wrong(const access_question& question, const route_scope& row, time_point now) {
  if (failed_.note(question.from, now))
    forgotten_.Increment();
  return refuse(
    question, result::invalid, now, {},
    row.by == pass::callback_secret ? no_secret() : invalid_token());
}

api_access::verdict api_access::refuse(
  const access_question& question, result why, time_point now, std::string_view who,
  api_reply reply) {
  log_refusal(question, why, now, who);
  return {std::move(reply), nullptr};
}

void api_access::log_refusal(
  const access_question& question, result why, time_point now, std::string_view who) {
  counters_.at(static_cast<std::size_t>(why))->Increment();
  if (told_.wait(question.from, now) > 0ms)
    return;
  told_.note(question.from, now);
  log::warning(
    component, "refused",
    {{"why", name_of(why)},
     {"key", who.empty() ? "-" : who},
     {"address", text_of(question.from)},
     {"route", route_text(question)},
     {"target", target_text(question)}});
}

void api_access::note(
  const access_question& question, const api_caller_ptr& caller, int status, time_point now) {
  if (!caller)
    return;
  // Whether a key may do what the body says is found by the handler.
  if (status == 403 && !caller->key.name.empty())
    return log_refusal(question, result::insufficient_scope, now, caller->key.name);
  const auto row = scope_of(question.method, question.pattern);
  if (row.by != pass::open)
    counters_.at(static_cast<std::size_t>(result::ok))->Increment();
  if (row.audited && !caller->key.name.empty())
    log::info(
      component, "act",
      {{"key", caller->key.name},
       {"address", text_of(question.from)},
       {"route", route_text(question)},
       {"target", target_text(question)},
       {"status", status}});
}

std::string_view api_access::name_of(result which) {
  static constexpr std::array<std::string_view, result_count> names = {
    "ok", "missing", "invalid", "insufficient_scope", "two_ways", "limited", "over_rate"};
  return names.at(static_cast<std::size_t>(which));
}

api_reply insufficient_scope(std::string_view detail, scope needs) {
  return challenged(
    {403, "Insufficient scope"}, detail, challenge("insufficient_scope", to_string(needs)));
}

} // namespace herald
