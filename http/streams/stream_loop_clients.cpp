// What a stream loop does with the requests of clients.
#include "http/streams/stream_loop.hpp"

#include <utility>
#include <variant>

#include "actors/system/descriptor_channel.hpp"
#include "http/protocol/gateway_error.hpp"

namespace herald {

std::optional<api_reply>
stream_loop::on_request(const client_socket& from, const request_head& request) {
  if (options_.to_api >= 0 && is_for_api(request))
    return hand_over(from, request);
  const auto peer = from.named ? *from.named : peer_of(from.fd);
  const bool may_wait = options_.auth.asks() && key_waiters_.size() < options_.max_openings;
  auto verdict = admission_.decide(
    request, peer, {table_.size(), openings_.size(), draining_, clock::now()},
    may_wait ? key_waiters_.next() : token_judge::fetch_over{});
  if (auto* reply = std::get_if<api_reply>(&verdict))
    return std::move(*reply);
  open(from, request, std::get<stream_admission::admitted>(verdict));
  return std::nullopt;
}

/// The API reads the request anew, and whatever follows over this connection.
std::optional<api_reply>
stream_loop::hand_over(const client_socket& from, const request_head& request) {
  const auto bytes = render_request_head(request).append(from.behind_head);
  if (!descriptor_channel::send(options_.to_api, from.fd, bytes))
    return gateway_error(503, "OVERLOADED", "Too many requests at once");
  // It stays open elsewhere, and so would not leave the set by itself.
  if (from.watched)
    sockets_.remove(from.fd);
  owned_fd{from.fd}.close();
  return std::nullopt;
}

void stream_loop::open(
  const client_socket& from, const request_head& request, stream_admission::admitted& admitted) {
  auto& opening = admitted.opening;
  const auto slot = table_.add(from.fd, secrets_(), admitted.lease);
  const client_limits::replayed replays_of{
    admitted.client ? *admitted.client : counted_as_page(opening.id.str()), admitted.subject};
  openings_.add(
    slot,
    {std::move(opening.cors), opening.how, opening.heartbeat_event, opening.cursor,
     opening.accepts_stream, admitted.client, replays_of, opening.expires_at,
     std::move(opening.ticket)},
    clock::now());
  if (from.watched) {
    sockets_.watch(from.fd, tag(kind::stream, slot), false);
  } else if (!sockets_.add(from.fd, tag(kind::stream, slot))) {
    return turn_away(slot, stream_metrics::refusal::too_many, false);
  }
  if (admitted.question)
    ask_application(slot, admitted);
  else if (admitted.awaits_key)
    key_waiters_.add({table_.token_of(slot), request, std::move(admitted)});
  else
    announce(slot, opening);
}

void stream_loop::ask_application(stream_slot slot, stream_admission::admitted& admitted) {
  if (asked_.ask(table_.token_of(slot), std::move(admitted)))
    return;
  refuse_waiting(slot, admission_.no_room_to_ask(accepts_stream(slot)), false);
  schedule();
}

void stream_loop::announce(stream_slot slot, stream_opening& request) {
  openings_.announce_later(
    {std::move(request.id), table_.token_of(slot), std::move(request.url), transport_kind::embedded,
     inbox_.address(), std::move(request.headers), std::move(request.last_event_id),
     std::move(request.asks), std::move(request.by), std::move(request.client)});
}

} // namespace herald
