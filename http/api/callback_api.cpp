#include "http/api/callback_api.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include "actors/gateway/gateway_shards.hpp"
#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/protocol/url.hpp"
#include "http/server/ask.hpp"
#include "messages/type_ids.hpp"
#include "messages/wire/callback_json.hpp"

namespace herald {

namespace {

/// The request_id that a browser has asked for.
caf::expected<request_id> id_of(const stream_query& query) {
  if (!query.id())
    return fail(ec::invalid_field, "has no readable request_id", "request.url");
  if (const auto violation = request_id_violation(*query.id()))
    return fail(ec::invalid_field, "request_id " + std::string{*violation}, "request.url");
  return request_id{*query.id()};
}

class callback_api {
public:
  callback_api(
    caf::actor_system& system, stream_owner_actor owner, std::vector<gateway_sender_actor> shards,
    callback_options options)
    : system_(system),
      owner_(std::move(owner)),
      shards_(std::move(shards)),
      options_(std::move(options)) {}

  api_reply answer(const api_request& request) const {
    if (!options_.enabled || shards_.empty())
      return problem(failure{
        ec::gateway_mode_off, "this herald serves its streams itself: gateway.url is not set", {}});
    auto callback = parse_callback(request.body);
    if (!callback)
      return problem(callback.error());
    if (callback->action == gateway_callback::kind::connect)
      return connect(*callback);
    return disconnect(*callback);
  }

private:
  using time_point = callback_access::time_point;

  api_reply connect(const gateway_callback& callback) const {
    auto reply = open(callback, std::chrono::steady_clock::now() + options_.deadline);
    // Nobody will open the stream, should it be taken later; nor is it open, if this connect has
    // come before and was taken then.
    if (reply.status != 200)
      tell_closed({callback.stream, end_reason::error});
    return reply;
  }

  api_reply open(const gateway_callback& callback, time_point until) const {
    const stream_query query{split_target(callback.url).query, options_.query};
    auto id = id_of(query);
    if (!id)
      return problem(id.error());
    if (query.fault_of_asks())
      return problem(*query.fault_of_asks());
    // Who says who it is says all of it in order, as on herald's own port: two tickets are none.
    if (options_.access && query.fault())
      return problem(*query.fault());
    open_connection opening;
    opening.id = *id;
    opening.asks = query.asks();
    opening.stream = callback.stream;
    opening.url = kept_target(callback.url);
    opening.transport = transport_kind::gateway;
    opening.via = shard_for(callback.stream, shards_);
    if (options_.access) {
      if (auto refused = refusal_of(callback, query, opening, until))
        return std::move(*refused);
    }
    return register_page(std::move(opening), query, until);
  }

  /// What is left of the time is the owner's.
  api_reply
  register_page(open_connection opening, const stream_query& query, time_point until) const {
    using std::chrono::milliseconds;
    auto answer = connect_answer_json(opening);
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    const auto taken =
      ask<void>(system_, owner_, std::move(opening), std::max(left, milliseconds{0}));
    if (taken)
      return json_reply(200, std::move(answer));
    auto refused = problem(taken.error());
    if (!options_.access)
      return refused;
    options_.access->refused_by_owner(describe(taken.error()).code);
    // What is no fault of the page uses up no ticket.
    if (query.ticket() && refused.status >= 500)
      options_.access->give_back(*query.ticket());
    return refused;
  }

  /// Gives the opening its right; else the answer to the gateway.
  std::optional<api_reply> refusal_of(
    const gateway_callback& callback, const stream_query& query, open_connection& opening,
    time_point until) const {
    auto headers = page_headers(callback.request);
    if (!headers)
      return problem(headers.error());
    request_head page;
    page.method = "GET";
    page.target = callback.url;
    page.headers = std::move(*headers);
    stream_opening wanted;
    wanted.id = opening.id;
    wanted.asks = opening.asks;
    wanted.ticket = query.ticket();
    const auto refused = options_.access->ask(page, wanted, callback.stream, until);
    if (refused && refused->has_left)
      return json_reply(200, object_writer{}.finish());
    if (refused)
      return refused->reply ? *refused->reply : send_away(callback.stream);
    opening.asks = std::move(wanted.asks);
    opening.by = std::move(wanted.by);
    opening.expires_at = wanted.expires_at;
    return std::nullopt;
  }

  /// A stream that ends at once: to a page any other status than 200 would be the last word. That
  /// the order may come before the stream is open, as an event may, is how herald reads the
  /// gateway's protocol.
  api_reply send_away(const token& stream) const {
    // It may be open, if this connect has come before.
    caf::anon_send(owner_, stream_closed{stream, end_reason::error});
    end_unregistered(stream, shards_);
    return json_reply(200, object_writer{}.finish());
  }

  api_reply disconnect(const gateway_callback& callback) const {
    if (options_.access)
      options_.access->left(callback.stream);
    tell_closed({callback.stream, callback.reason});
    return json_reply(200, object_writer{}.finish());
  }

  void tell_closed(const stream_closed& fact) const {
    caf::anon_send(owner_, fact);
    caf::anon_send(shard_for(fact.stream, shards_), fact);
  }

  caf::actor_system& system_;
  stream_owner_actor owner_;
  std::vector<gateway_sender_actor> shards_;
  callback_options options_;
};

} // namespace

void add_callback_routes(
  router& routes, caf::actor_system& system, const stream_owner_actor& owner,
  std::vector<gateway_sender_actor> shards, callback_options options) {
  const auto api =
    std::make_shared<callback_api>(system, owner, std::move(shards), std::move(options));
  routes.add("POST", "/api/sse/callback", foreign_protocol, [api](const api_request& request) {
    return api->answer(request);
  });
}

} // namespace herald
