// What a stream loop does with the orders in its inbox.
#include "http/streams/stream_loop.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <caf/send.hpp>

#include "actors/supervision/fault_hook.hpp"
#include "http/access/ticket_book.hpp"
#include "http/admission/stream_response.hpp"
#include "http/fanout/sse_format.hpp"
#include "http/protocol/http_reply.hpp"
#include "http/sockets/tcp_progress.hpp"

namespace herald {

namespace {

using refusal = stream_metrics::refusal;

constexpr std::size_t slice_closes = 1024;
constexpr std::size_t slice_expiries = 1024;
/// How late it may be noticed that a stream is to end.
constexpr std::chrono::milliseconds look_pause{1000};

/// Within what time streams end whose rights end at once. All of it lies in the leeway.
std::chrono::milliseconds expiry_spread(std::chrono::milliseconds leeway) {
  return std::max(leeway - look_pause, std::chrono::milliseconds{0});
}

} // namespace

void stream_loop::on_inbox() {
  auto taken = inbox_.take_orders();
  const auto queries = std::stable_partition(taken.begin(), taken.end(), [](const loop_order& one) {
    return !std::holds_alternative<backlog_query>(one);
  });
  std::move(taken.begin(), queries, std::back_inserter(orders_));
  // They wait for nothing: how far streams are behind is asked while much is to be done.
  for (auto query = queries; query != taken.end(); ++query) {
    inbox_.handled(1);
    apply_one(std::get<backlog_query>(*query));
  }
  work();
}

bool stream_loop::apply(loop_order& what) {
  if (fault_hook != nullptr)
    fault_hook(name_of(index_), "stream-loop", handler_moment::before);
  return std::visit(
    [this](auto& order) {
      if constexpr (std::is_same_v<std::decay_t<decltype(order)>, deliver>) {
        return apply_some(order);
      } else {
        apply_one(order);
        return true;
      }
    },
    what);
}

void stream_loop::apply_one(const attach_stream& order) {
  const auto slot = table_.find(order.stream);
  if (!slot || !table_.waiting(*slot))
    return;
  const auto* const client = openings_.find(*slot);
  // It may have ended while the stream waited to be opened.
  if (is_over(client->expires_at, options_.auth.leeway_s, std::chrono::system_clock::now()))
    return refuse_waiting(
      *slot, admission_.refused_by_owner({ec::invalid_token, {}, {}}, 0, client->accepts_stream),
      true);
  stream_start start{
    render_stream_head(client->how, client->cors, options_.stand_in), {}, client->how};
  // A gateway leaves that to the browser.
  if (!options_.stand_in)
    append_retry(start.first, jitter_(options_.retry_ms, options_.retry_ms));
  start.cursor = options_.cursor_event ? cursor_form::event : client->cursor;
  if (client->heartbeat_event)
    heartbeats_.watch(*slot);
  if (client->expires_at)
    expiring_.add(
      *slot, std::chrono::system_clock::now(), *client->expires_at,
      jitter_({}, expiry_spread(options_.auth.leeway_s)));
  auto missed = within_budget(client->replays_of, order.missed);
  openings_.remove(*slot);
  feed_.attach(*slot, std::move(start), std::move(missed), order.cursor, order.hears);
}

missed_events stream_loop::within_budget(const client_limits::replayed& who, missed_events all) {
  switch (clients_.replay(who, all, clock::now())) {
  case client_limits::limit::none:
    return all;
  case client_limits::limit::of_address:
    metrics_.replays_refused.Increment();
    return gap_instead_of(std::move(all), "address");
  case client_limits::limit::of_subject:
    break;
  }
  metrics_.subject_replays_refused.Increment();
  return gap_instead_of(std::move(all), "subject");
}

void stream_loop::apply_one(const refuse_stream& order) {
  const auto slot = table_.find(order.stream);
  if (!slot || !table_.waiting(*slot))
    return;
  // One that was revoked, as well.
  const auto* const client = openings_.find(*slot);
  if (client != nullptr && order.why.code == ec::invalid_token)
    clients_.note_failure(client->counted_to, clock::now());
  refuse_waiting(
    *slot, admission_.refused_by_owner(order.why, order.upstream_status, accepts_stream(*slot)),
    false);
}

bool stream_loop::accepts_stream(stream_slot slot) const {
  const auto* const client = openings_.find(slot);
  return client != nullptr && client->accepts_stream;
}

/// Refuses a client that waits, for a reason of the loop's own.
void stream_loop::turn_away(stream_slot slot, refusal why, bool report) {
  refuse_waiting(slot, admission_.busy(why, accepts_stream(slot)), report);
}

void stream_loop::refuse_waiting(stream_slot slot, const api_reply& reply, bool report) {
  auto answer = reply;
  if (const auto* const client = openings_.find(slot))
    add_cors(answer, client->cors);
  const auto text = render_reply(answer);
  // Told to come back, which it does with the same URL.
  if (answer.status == 200 || answer.status >= 500)
    give_ticket_back(slot);
  openings_.remove(slot);
  table_.refuse(slot, text, report, clock::now());
}

void stream_loop::apply_one(const close_stream& order) {
  const auto slot = table_.find(order.stream);
  if (!slot)
    return;
  std::string farewell;
  if (order.reason == close_reason::replaced)
    append_retry(farewell, options_.replaced_retry);
  if (order.farewell)
    append_event(farewell, {}, order.farewell->name, order.farewell->data, options_.format);
  table_.close(*slot, farewell, clock::now());
}

void stream_loop::apply_one(const change_reach& order) {
  const auto slot = table_.find(order.stream);
  if (!slot || table_.waiting(*slot))
    return;
  feed_.change(*slot, order.hears);
  if (!order.values.empty())
    feed_.put_values(*slot, order.values, order.cursor);
}

void stream_loop::apply_one(drain_loop& order) {
  stop_accepting();
  draining_ = true;
  drain_next_ = 0;
  drained_ = std::move(order.drained);
}

void stream_loop::apply_one(const change_settings& order) {
  options_.retry_ms = order.now->retry_ms;
  options_.cors_origins = order.now->cors_origins;
  options_.hosts = order.now->hosts;
  options_.max_head_bytes = order.now->max_head_bytes;
  admission_.reconfigure();
  pending_.limit_heads(options_.max_head_bytes);
}

/// Judges the token of a client again that has waited for its key.
void stream_loop::apply_one(const keys_fetched& order) {
  auto waiter = key_waiters_.take(order);
  const auto slot = waiter ? table_.find(waiter->stream) : std::nullopt;
  if (!slot || !table_.waiting(*slot))
    return;
  auto& opening = waiter->client.opening;
  if (
    const auto reply =
      admission_.decide_again(waiter->request, waiter->client, order.final, clock::now()))
    return refuse_waiting(*slot, *reply, false);
  openings_.set_right(*slot, opening.expires_at, waiter->client.subject);
  announce(*slot, opening);
  announce_openings();
}

void stream_loop::apply_one(const application_answered& order) {
  auto client = asked_.take(order.stream);
  const auto slot = client ? table_.find(order.stream) : std::nullopt;
  if (!slot || !table_.waiting(*slot))
    return;
  if (const auto reply = admission_.decide_by(order.said, *client, clock::now()))
    return refuse_waiting(*slot, *reply, false);
  openings_.set_right(*slot, client->opening.expires_at, client->subject);
  announce(*slot, client->opening);
  announce_openings();
}

void stream_loop::apply_one(const backlog_query& query) {
  stream_backlogs found;
  found.of.reserve(query.streams.size());
  for (const auto& stream : query.streams) {
    auto& one = found.of.emplace_back();
    const auto slot = table_.find(stream);
    if (!slot || !table_.open(*slot))
      continue;
    one = table_.backlog_of(*slot);
    one->unacknowledged = outstanding_bytes(table_.descriptor(*slot));
  }
  query.answer(std::move(found));
}

/// Takes as much of a batch as there is room for; true once it has all.
bool stream_loop::apply_some(const deliver& order) {
  const bool complete = feed_.put(order, clock::now());
  if (complete)
    feed_.note_place(order.place);
  for (const auto& failed : feed_.take_failures()) {
    if (failed.unknown)
      caf::anon_send(owner_, delivery_failed{failed.stream, "no such stream"});
    if (failed.service == service_type::version)
      ++strayed_versions_;
    metrics_.failed(failed.service).Increment();
  }
  return complete;
}

void stream_loop::give_ticket_back(stream_slot slot) {
  const auto* const client = openings_.find(slot);
  if (client != nullptr && client->ticket)
    options_.tickets->give_back(*client->ticket);
}

/// Tells streams that their right comes to an end, and ends those whose has. True if there are
/// more.
bool stream_loop::expire_some() {
  if (!expiry_due_)
    return false;
  expiry_due_ = expiring_.run_slice(
    slice_expiries, std::chrono::system_clock::now(),
    [this](stream_slot slot, std::chrono::milliseconds left) { feed_.put_expiry(slot, left); },
    [this](stream_slot slot) { table_.close(slot, {}, clock::now()); });
  return expiry_due_;
}

void stream_loop::drain_some() {
  const auto now = clock::now();
  const auto stop = std::min<std::size_t>(drain_next_ + slice_closes, table_.slots());
  for (; drain_next_ < stop; ++drain_next_) {
    if (table_.descriptor(drain_next_) < 0)
      continue;
    if (table_.waiting(drain_next_)) {
      turn_away(drain_next_, refusal::shutting_down, true);
      continue;
    }
    std::string farewell;
    append_retry(farewell, jitter_(options_.drain_retry, options_.drain_retry_spread));
    table_.close(drain_next_, farewell, now);
  }
  if (drain_next_ < table_.slots())
    schedule();
}

} // namespace herald
