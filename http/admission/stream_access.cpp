#include "http/admission/stream_access.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "actors/telemetry/log.hpp"
#include "http/access/ticket_book.hpp"
#include "http/access/token_judge.hpp"
#include "http/auth/bearer.hpp"
#include "http/protocol/problem.hpp"
#include "http/protocol/request_origin.hpp"
#include "http/protocol/url.hpp"

namespace herald {

namespace {

using finding = access_findings::finding;
using reason = stream_metrics::refusal;
using way = presented_credential::way;

constexpr std::size_t lines_a_second = 10;

api_reply challenged(
  int status, const char* title, std::string_view detail, std::string_view error,
  std::string_view field = {}) {
  auto reply = problem({status, title}, detail, field);
  std::string challenge = R"(Bearer realm="herald")";
  if (!error.empty())
    challenge.append(R"(, error=")").append(error).append("\"");
  reply.headers.emplace_back("WWW-Authenticate", std::move(challenge));
  return reply;
}

api_reply invalid_token() {
  return challenged(401, "Unauthorized", "this credential is not good here", "invalid_token");
}

std::string_view name_of(finding what) {
  switch (what) {
  case finding::missing:
    return "no credential";
  case finding::invalid:
    return "the credential is not good";
  case finding::insufficient_scope:
    return "a topic is not granted";
  case finding::two_ways:
    return "two credentials";
  case finding::origin:
    return "a cookie of a page that is not listed";
  case finding::limited:
    return "too many attempts from this address have failed";
  case finding::refused:
    return "the application says no";
  default:
    return "nobody can say now";
  }
}

} // namespace

stream_access::stream_access(
  const stream_options& options, const access_findings& numbers, std::string_view component)
  : options_(options),
    metrics_(numbers),
    component_(component),
    judge_(options.make_judge ? options.make_judge() : nullptr) {
  reconfigure();
}

stream_access::~stream_access() = default;

void stream_access::reconfigure() {
  origins_ = canonical_origins(options_.cors_origins);
  std::erase(origins_, "*");
}

std::optional<stream_access::refusal> stream_access::ask(
  const request_head& request, stream_opening& opening, wall_time now,
  token_judge::fetch_over over) {
  const auto& auth = options_.auth;
  opening.url = split_target(request.target).path;
  const auto presented = presented_by(request, opening.ticket, auth.cookie);
  if (asks_application(presented.how, opening))
    return wait_for_application(request, opening, now);
  if (presented.how == way::none && auth.mode == auth_mode::optional)
    return give(right_of_anybody({}, auth.public_topics), opening, now);
  auto found = judge(presented, request, opening, now, std::move(over));
  if (const auto* why = std::get_if<bad>(&found))
    return refuse(*why, opening, now);
  auto refused = give(std::move(std::get<access_right>(found)), opening, now);
  if (refused && presented.how == way::ticket)
    options_.tickets->give_back(presented.text);
  return refused;
}

std::optional<stream_access::refusal>
stream_access::take(const authorize_verdict& said, stream_opening& opening, wall_time now) {
  if (const auto* const grant = std::get_if<stream_grant>(&said)) {
    // An answer that names nobody lets in whoever has no credential.
    const auto right = grant->subject.empty() ? right_of_anybody : right_of;
    return give(right(*grant, options_.auth.public_topics), opening, now);
  }
  const auto* const down = std::get_if<turned_down>(&said);
  if (down == nullptr)
    return refuse({finding::later, {reason::application_away}}, opening, now);
  constexpr std::string_view detail = "the application lets this page have no stream";
  if (down->status == 403)
    return refuse(
      {finding::refused, {reason::forbidden, problem({403, "Forbidden"}, detail)}}, opening, now);
  auto reply = challenged(401, "Unauthorized", detail, {});
  if (!down->challenge.empty())
    reply.headers = {{"WWW-Authenticate", down->challenge}};
  return refuse({finding::refused, {reason::unauthorized, std::move(reply)}}, opening, now);
}

/// Where there are keys a token is theirs. Whoever wants a head alone is answered without a
/// question.
bool stream_access::asks_application(way how, const stream_opening& opening) const {
  if (!options_.questions || opening.head_only || how == way::ticket || how == way::two)
    return false;
  return how == way::none || !options_.auth.takes_tokens();
}

/// What browsers send by themselves may be all that the application goes by.
stream_access::refusal stream_access::wait_for_application(
  const request_head& request, const stream_opening& opening, wall_time now) {
  const auto authorization = request.header("Authorization");
  const bool by_itself =
    request.header("Cookie") || (authorization && bearer_token(*authorization).empty());
  if (by_itself && !is_same_site(request))
    return refuse(other_site(), opening, now);
  return {reason::application_away, std::nullopt, awaited::application};
}

/// Gives the opening its right, unless it asks for more than that.
std::optional<stream_access::refusal>
stream_access::give(access_right right, stream_opening& opening, wall_time now) {
  if (const auto topic = topic_not_granted(opening, right.by->topics)) {
    auto reply = challenged(
      403, "Forbidden", "the stream may not listen to " + *topic, "insufficient_scope", "topic");
    return refuse(
      {finding::insufficient_scope, {reason::forbidden, std::move(reply)}}, opening, now);
  }
  metrics_.found(right.by->targeted ? finding::ok : finding::anonymous).Increment();
  if (opening.asks && right.hears) {
    auto both = *opening.asks;
    both.subject = right.hears->subject;
    both.roles = right.hears->roles;
    opening.asks = std::make_shared<const reach>(std::move(both));
  } else if (right.hears) {
    opening.asks = std::move(right.hears);
  }
  opening.by = std::move(right.by);
  opening.expires_at = right.expires_at;
  return std::nullopt;
}

stream_access::judgement stream_access::judge(
  const presented_credential& presented, const request_head& request, const stream_opening& opening,
  wall_time now, token_judge::fetch_over over) {
  switch (presented.how) {
  case way::none:
    // Who has not tried is told what to try, and no error.
    return bad{
      finding::missing,
      {reason::unauthorized,
       challenged(401, "Unauthorized", "a stream needs a token, or a ticket", {})}};
  case way::two:
    return bad{
      finding::two_ways,
      {reason::invalid,
       challenged(
         400, "Invalid request", "a token and a ticket, or two of them, exclude each other",
         "invalid_request")}};
  case way::other:
    break;
  case way::bearer:
    return judge_token(presented.text, now, std::move(over));
  case way::cookie:
    if (!is_same_site(request))
      return other_site();
    return judge_token(presented.text, now, std::move(over));
  case way::ticket:
    return judge_ticket(presented.text, opening, now);
  }
  return bad{finding::invalid, {reason::unauthorized, invalid_token()}};
}

stream_access::judgement
stream_access::judge_token(std::string_view token, wall_time now, token_judge::fetch_over over) {
  auto verdict = judge_->judge(token, now, std::move(over));
  if (auto* right = std::get_if<access_right>(&verdict))
    return std::move(*right);
  switch (std::get<token_judge::refusal>(verdict)) {
  case token_judge::refusal::invalid:
    break;
  case token_judge::refusal::later:
    return bad{finding::later, {reason::key_unknown}};
  case token_judge::refusal::soon:
    return bad{finding::later, {reason::key_unknown, std::nullopt, awaited::key}};
  }
  return bad{finding::invalid, {reason::unauthorized, invalid_token()}};
}

stream_access::judgement stream_access::judge_ticket(
  std::string_view ticket, const stream_opening& opening, wall_time now) const {
  auto& book = *options_.tickets;
  const auto cursor = opening.last_event_id ? parse_event_id(*opening.last_event_id) : std::nullopt;
  const ticket_book::visit visit{ticket, opening.id, cursor, options_.last_place()};
  auto grant = opening.head_only ? book.look_at(visit, now) : book.use(visit, now);
  if (!grant)
    return bad{finding::invalid, {reason::unauthorized, invalid_token()}};
  return right_of(std::move(*grant), options_.auth.public_topics);
}

stream_access::bad stream_access::other_site() {
  return {
    finding::origin,
    {reason::origin,
     problem(
       {403, "Forbidden"},
       "a cookie counts for pages of this origin, and of those that stream.cors_origins lists by "
       "name")}};
}

/// Browsers send a cookie by themselves, also for a page that has no business here.
bool stream_access::is_same_site(const request_head& request) const {
  if (const auto origin = request.header("Origin"))
    return std::find(origins_.begin(), origins_.end(), *origin) != origins_.end();
  const auto site = request.header("Sec-Fetch-Site");
  return !site || *site == "same-origin";
}

std::optional<std::string> stream_access::topic_not_granted(
  const stream_opening& opening, const std::vector<std::string>& granted) const {
  if (!opening.asks)
    return std::nullopt;
  const auto& patterns = opening.asks->patterns;
  const auto found =
    std::find_if(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return !covers(granted, pattern);
    });
  return found == patterns.end() ? std::nullopt : std::optional{*found};
}

bool stream_access::presents(const request_head& request, const stream_opening& opening) const {
  return presented_by(request, opening.ticket, options_.auth.cookie).how != way::none;
}

stream_access::refusal stream_access::refuse_limited(const stream_opening& opening, wall_time now) {
  return refuse({finding::limited, {reason::failed_auth}}, opening, now);
}

void stream_access::refused_by_owner(ec why) const {
  if (why == ec::invalid_token)
    metrics_.found(finding::invalid).Increment();
  if (why == ec::forbidden)
    metrics_.found(finding::other_subject).Increment();
}

stream_access::refusal stream_access::refuse_token(const stream_opening& opening, wall_time now) {
  return refuse({finding::invalid, {reason::unauthorized, invalid_token()}}, opening, now);
}

stream_access::refusal
stream_access::refuse(const bad& found, const stream_opening& opening, wall_time now) {
  if (found.how.awaits != awaited::nothing)
    return found.how;
  metrics_.found(found.what).Increment();
  tell(found, opening, now);
  auto how = found.how;
  how.failed = found.what == finding::invalid;
  return how;
}

/// Whoever tries tokens out must not fill the log.
void stream_access::tell(const bad& found, const stream_opening& opening, wall_time now) {
  if (const auto second = std::chrono::floor<std::chrono::seconds>(now); second != second_) {
    second_ = second;
    lines_ = 0;
  }
  if (++lines_ > lines_a_second) {
    ++unlogged_;
    return;
  }
  log::info(
    component_, "stream_refused",
    {{"request_id", opening.id.str()},
     {"why", name_of(found.what)},
     {"unlogged", std::exchange(unlogged_, 0)}});
}

} // namespace herald
