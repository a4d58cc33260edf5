#include "http/admission/stream_admission.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "http/access/authorize_question.hpp"
#include "http/access/ticket_book.hpp"
#include "http/admission/stream_response.hpp"
#include "http/protocol/gateway_error.hpp"
#include "http/protocol/problem.hpp"
#include "http/protocol/request_origin.hpp"
#include "messages/text/utf8.hpp"

namespace herald {

namespace {

using refusal = stream_metrics::refusal;
using std::chrono::system_clock;

refusal refusal_for(ec why) {
  switch (why) {
  case ec::target_too_long:
  case ec::head_too_large:
    return refusal::head_too_large;
  case ec::request_timed_out:
    return refusal::head_timed_out;
  case ec::overloaded:
    return refusal::head_crowded_out;
  default:
    return refusal::malformed;
  }
}

refusal refusal_for(int status) {
  if (status == 403)
    return refusal::origin;
  if (status == 421)
    return refusal::host;
  if (status == 404)
    return refusal::not_found;
  return status == 405 ? refusal::method : refusal::invalid;
}

/// The answer to a client that may come back.
failure busy_because(refusal why) {
  switch (why) {
  case refusal::too_many:
    return {ec::too_many_streams, "no more streams here", {}};
  case refusal::too_many_per_address:
    return {ec::too_many_streams, "no more streams from this address", {}};
  case refusal::too_many_per_subject:
    return {ec::too_many_streams, "no more streams of this subject", {}};
  case refusal::opens_per_address:
    return {ec::overloaded, "too many streams were opened from this address", {}};
  case refusal::opens_per_subject:
    return {ec::overloaded, "too many streams of this subject were opened", {}};
  case refusal::failed_auth:
    return {ec::overloaded, "too many attempts from this address have failed", {}};
  case refusal::too_many_openings:
    return {ec::overloaded, "too many streams are opening at once", {}};
  case refusal::shutting_down:
    return {ec::shutting_down, "this herald is ending", {}};
  case refusal::key_unknown:
    return {ec::not_ready, "the keys of tokens are being fetched", {}};
  case refusal::application_away:
    return {ec::not_ready, "the application does not say who this page is", {}};
  case refusal::too_many_questions:
    return {ec::overloaded, "too many pages are being asked about", {}};
  case refusal::unanswered:
    return {ec::overloaded, "the stream could not be registered in time", {}};
  default:
    return {ec::overloaded, {}, {}};
  }
}

/// Whether others may have a stream, and this client has had its share.
bool is_limit_of_client(refusal why) {
  return why == refusal::too_many_per_subject || why == refusal::opens_per_address
         || why == refusal::opens_per_subject || why == refusal::failed_auth;
}

client_ptr details_of(const request_head& request, const ip_address& from) {
  client_details client;
  client.address = address_text(from);
  client.agent = utf8_front(request.header("User-Agent").value_or(""), max_agent_bytes);
  return std::make_shared<const client_details>(std::move(client));
}

stream_rules rules_of(const stream_options& options) {
  return {
    canonical_origins(options.cors_origins),
    options.stand_in,
    options.hosts,
    options.configured,
    {options.max_topics, options.principals, options.auth.asks()}};
}

} // namespace

stream_admission::stream_admission(
  const stream_options& options, stream_limits& limits, client_limits& clients,
  const stream_metrics& numbers, std::size_t room, std::uint64_t seed)
  : options_(options),
    limits_(limits),
    clients_(clients),
    metrics_(numbers),
    rules_(rules_of(options)),
    trusted_(options.trusted_proxies),
    access_(options, numbers),
    room_(room),
    jitter_(seed) {}

void stream_admission::reconfigure() {
  rules_ = rules_of(options_);
  access_.reconfigure();
}

std::variant<stream_admission::admitted, api_reply> stream_admission::decide(
  const request_head& request, const ip_address& peer, const load& now,
  token_judge::fetch_over over) {
  auto verdict = check_stream_request(request, rules_);
  if (auto* reply = std::get_if<api_reply>(&verdict)) {
    // It may be an answer that refuses nothing, to OPTIONS.
    if (reply->status >= 400)
      metrics_.refused(refusal_for(reply->status)).Increment();
    return std::move(*reply);
  }
  auto& wanted = std::get<stream_opening>(verdict);
  const auto refuse = [&](refusal why) {
    return refused_for_now({why}, wanted);
  };
  if (now.draining)
    return refuse(refusal::shutting_down);
  if (now.openings >= options_.max_openings)
    return refuse(refusal::too_many_openings);
  if (now.streams >= room_)
    return refuse(refusal::too_many);
  const auto client = client_of(request, peer, trusted_);
  if (const auto over_it = over_its_address(request, wanted, client, now.at))
    return refused_for_now(*over_it, wanted);
  if (wanted.headers && !trusted_.empty())
    wanted.headers =
      std::make_shared<const header_list>(headers_with_way(request.headers, peer, trusted_));
  wanted.client = details_of(request, origin_of(request, peer, trusted_));
  const bool asks = options_.auth.asks();
  const auto admission = limits_.admit(
    client, asks ? stream_limits::owned::by_a_subject : stream_limits::owned::by_nobody);
  if (const auto* why = std::get_if<stream_limits::refusal>(&admission))
    return refuse(
      *why == stream_limits::refusal::too_many ? refusal::too_many : refusal::too_many_per_address);
  admitted made{std::get<stream_limits::lease>(admission), std::move(wanted), client};
  if (!asks)
    return made;
  return ask_for_right(request, peer, std::move(made), now.at, std::move(over));
}

/// Last, as it uses a ticket, and takes longest.
std::variant<stream_admission::admitted, api_reply> stream_admission::ask_for_right(
  const request_head& request, const ip_address& peer, admitted client, time_point now,
  token_judge::fetch_over over) {
  try {
    auto reply = asked(request, peer, client, now, std::move(over));
    if (!reply)
      return client;
    limits_.release(client.lease);
    return std::move(*reply);
  } catch (...) {
    limits_.release(client.lease);
    throw;
  }
}

/// The answer to a client that has no right to a stream, or wants none. Nothing: it may have one,
/// or waits for its key, or for the application.
std::optional<api_reply> stream_admission::asked(
  const request_head& request, const ip_address& peer, admitted& client, time_point now,
  token_judge::fetch_over over) {
  auto& wanted = client.opening;
  if (wanted.head_only)
    over = {};
  const auto refused = access_.ask(request, wanted, system_clock::now(), std::move(over));
  using awaited = stream_access::awaited;
  const auto awaits = refused ? refused->awaits : awaited::nothing;
  client.awaits_key = awaits == awaited::key;
  if (awaits == awaited::application)
    client.question = question_headers(request, wanted.client->address, trusts(peer));
  if (awaits != awaited::nothing)
    return std::nullopt;
  if (refused)
    return refused_access(*refused, client, now);
  if (wanted.head_only)
    return stream_head_reply(wanted.cors);
  auto over_it = over_its_subject(client, now);
  if (over_it && wanted.ticket)
    options_.tickets->give_back(*wanted.ticket);
  return over_it;
}

std::optional<api_reply> stream_admission::decide_again(
  const request_head& request, admitted& client, bool final, time_point now) {
  auto& wanted = client.opening;
  auto refused = access_.ask(request, wanted, system_clock::now());
  if (!refused)
    return over_its_subject(client, now);
  // Its key is none of those that there are.
  if (!refused->reply && final)
    refused = access_.refuse_token(wanted, system_clock::now());
  return refused_access(*refused, client, now);
}

/// What can be said without a look at a credential.
std::optional<stream_admission::over_limit> stream_admission::over_its_address(
  const request_head& request, const stream_opening& wanted,
  const std::optional<client_address>& client, time_point now) {
  if (options_.auth.asks())
    if (const auto wait = clients_.wait_after_failures(client, now);
        wait.count() > 0 && access_.presents(request, wanted))
      return over_limit{access_.refuse_limited(wanted, system_clock::now()).why, wait};
  if (const auto wait = clients_.open_from(client, now); wait.count() > 0)
    return over_limit{refusal::opens_per_address, wait};
  return std::nullopt;
}

/// Counts the stream to whom its credential names. The answer where that has had its share.
std::optional<api_reply> stream_admission::over_its_subject(admitted& client, time_point now) {
  const auto& wanted = client.opening;
  if (!wanted.by || wanted.by->subject.empty())
    return std::nullopt;
  client.subject = counted_as_subject(wanted.by->subject);
  if (limits_.name(client.lease, *client.subject))
    return refused_for_now({refusal::too_many_per_subject}, wanted);
  if (const auto wait = clients_.open_as(*client.subject, now); wait.count() > 0)
    return refused_for_now({refusal::opens_per_subject, wait}, wanted);
  return std::nullopt;
}

std::optional<api_reply>
stream_admission::decide_by(const authorize_verdict& said, admitted& client, time_point now) {
  if (const auto refused = access_.take(said, client.opening, system_clock::now()))
    return refused_access(*refused, client, now);
  return over_its_subject(client, now);
}

api_reply stream_admission::no_room_to_ask(bool accepts_stream) {
  metrics_.found(stream_metrics::finding::later).Increment();
  return busy(refusal::too_many_questions, accepts_stream);
}

/// The answer to a client that has no right to a stream. Counts it.
api_reply stream_admission::refused_access(
  const stream_access::refusal& why, const admitted& client, time_point now) {
  const auto& wanted = client.opening;
  if (why.failed)
    clients_.note_failure(client.client, now);
  auto reply = why.reply ? *why.reply : busy(why.why, wanted.accepts_stream);
  if (why.reply)
    metrics_.refused(why.why).Increment();
  add_cors(reply, wanted.cors);
  return reply;
}

/// The answer to a client that may come back. Counts it.
api_reply stream_admission::refused_for_now(const over_limit& why, const stream_opening& wanted) {
  auto reply = busy(why.why, wanted.accepts_stream, why.wait);
  add_cors(reply, wanted.cors);
  return reply;
}

header_list stream_admission::refuse_unread(ec why) {
  metrics_.refused(refusal_for(why)).Increment();
  // Of whatever origin it is.
  return cors_headers({}, rules_.cors_origins);
}

api_reply stream_admission::busy(refusal why, bool accepts_stream, std::chrono::milliseconds wait) {
  metrics_.refused(why).Increment();
  const auto reason = busy_because(why);
  if (accepts_stream && !rules_.stand_in)
    return not_now(reason, wait);
  auto reply = problem(reason);
  if (is_limit_of_client(why)) {
    auto headers = std::move(reply.headers);
    reply = problem({429, "Too many requests"}, reason.detail);
    reply.headers = std::move(headers);
  }
  if (rules_.stand_in) {
    const auto* const code = reason.code == ec::shutting_down ? "SHUTTING_DOWN" : "OVERLOADED";
    auto error = gateway_error(reply.status, code, reason.detail);
    error.headers = std::move(reply.headers);
    reply = std::move(error);
  }
  spread(reply, wait);
  return reply;
}

api_reply
stream_admission::refused_by_owner(const failure& why, int upstream_status, bool accepts_stream) {
  if (why.code == ec::kept_away) {
    metrics_.refused(refusal::kept_away).Increment();
    // At which every EventSource stops for good, as the standard wants it.
    api_reply reply;
    reply.status = 204;
    return reply;
  }
  access_.refused_by_owner(why.code);
  metrics_.refused(refusal::by_owner).Increment();
  if (rules_.stand_in) {
    auto reply = gateway_refusal(why, upstream_status, options_.generation);
    if (reply.status == 503)
      reply.headers.emplace_back("Retry-After", "1");
    spread(reply);
    return reply;
  }
  const bool passes_on = upstream_status >= 400 && upstream_status < 600;
  const int status = passes_on ? upstream_status : kind_of(why.code).status;
  if (accepts_stream && status >= 500)
    return not_now(why);
  auto reply = passes_on ? problem({status, kind_of(why.code).title}, why.detail) : problem(why);
  if (reply.status == 503) {
    reply.headers = problem(failure{ec::overloaded, {}, {}}).headers;
    spread(reply);
  }
  return reply;
}

api_reply stream_admission::not_now(const failure& why, std::chrono::milliseconds wait) {
  const std::string title = kind_of(why.code).title;
  return stream_that_ends(
    time_to_come_back(wait), why.detail.empty() ? title : title + ": " + why.detail);
}

/// No earlier than after `wait`.
std::chrono::milliseconds stream_admission::time_to_come_back(std::chrono::milliseconds wait) {
  const auto least = std::max(options_.retry_ms, wait);
  return jitter_(least, least * 2);
}

/// Has `Retry-After`, if it is there, name another time for each client.
void stream_admission::spread(api_reply& reply, std::chrono::milliseconds wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time_to_come_back(wait)).count();
  for (auto& [name, value] : reply.headers)
    if (name == "Retry-After")
      value = std::to_string(seconds);
}

} // namespace herald
