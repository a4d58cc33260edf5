#include "actors/stand_in/stand_in_front.hpp"

#include <chrono>
#include <utility>

#include <caf/send.hpp>

#include "actors/supervision/tell_refused.hpp"
#include "messages/wire/callback_json.hpp"

namespace herald {

namespace {

event_ptr event_of(send_to_stream::message sent) {
  event made;
  made.name = std::move(sent.name);
  made.data = std::move(sent.data);
  made.accepted = std::chrono::steady_clock::now();
  return std::make_shared<const event>(std::move(made));
}

void deliver_to(
  const delivery_actor& via, const token& stream, const std::vector<event_ptr>& events) {
  std::vector<delivery> batch;
  batch.reserve(events.size());
  for (const auto& what : events)
    batch.push_back({what, stream});
  caf::anon_send(via, deliver{std::make_shared<const std::vector<delivery>>(std::move(batch)), 0});
}

stand_in_streams::facts_ptr facts_of(const open_connection& request) {
  stream_facts facts{request.stream, request.id, {}, {}, {}, {}};
  if (request.client)
    facts.address = request.client->address;
  return std::make_shared<stream_facts>(std::move(facts));
}

} // namespace

stand_in_front::stand_in_front(
  self_pointer<interface> self, std::shared_ptr<stand_in_front_state> state,
  backend_caller_actor backend, metrics& numbers)
  : self_(self),
    state_(std::move(state)),
    backend_(std::move(backend)),
    connects_(numbers.counter(
      "sse_gateway_connections_total", "Streams opened and ended.", {{"action", "connect"}})),
    disconnects_(numbers.counter(
      "sse_gateway_connections_total", "Streams opened and ended.", {{"action", "disconnect"}})),
    overflows_(numbers.counter(
      "herald_callback_buffer_refused_total",
      "Sends refused because too much waits for a connect callback already.")),
    turned_away_(numbers.counter(
      "herald_callback_streams_refused_total",
      "Streams refused because the requests of others are as many bytes as may be.")),
    active_(numbers.gauge("sse_gateway_active_connections", "Open streams.")),
    calling_back_(numbers.gauge(
      "herald_callback_waiting_streams", "Streams whose connect callback is not answered yet.")),
    buffered_bytes_(numbers.gauge(
      "herald_callback_buffered_bytes", "Bytes kept for streams that are not open yet.")),
    request_bytes_(numbers.gauge(
      "herald_callback_kept_bytes",
      "Bytes of the requests of streams, which the backend is told at their end.")),
    identity_bytes_(numbers.gauge(
      "herald_callback_identity_bytes", "Memory of what backends have said of streams.")),
    identities_refused_(numbers.counter(
      "herald_callback_identities_refused_total",
      "Answers to connects of which was not kept who the stream is for: not well-formed, or too "
      "much.")) {
  if (const auto damage = state_->streams.check())
    throw state_damaged(*damage);
}

stand_in_front::behavior_type stand_in_front::behavior(shell<interface, stand_in_front>& s) {
  return {
    s.refusable(&stand_in_front::open, {.tell = tell_refused}),
    s.refusable(&stand_in_front::open_all, {.tell = tell_all_refused}),
    s.repeatable(&stand_in_front::closed),
    s.repeatable(&stand_in_front::failed),
    s.on(&stand_in_front::settled),
    s.refusable(&stand_in_front::send),
    s.repeatable(&stand_in_front::answered),
    s.repeatable(&stand_in_front::read),
    s.refusable(&stand_in_front::list),
    s.on(&stand_in_front::begin_shutdown),
    s.on(&stand_in_front::flush),
    s.control(),
  };
}

result<void> stand_in_front::open(const open_connection& request) {
  if (state_->shutting_down) {
    const failure why{ec::shutting_down, "herald is shutting down", {}};
    caf::anon_send(request.via, refuse_stream{request.stream, why, 0});
    return fail(why.code, why.detail);
  }
  static const header_list no_headers;
  auto text = std::make_shared<const std::string>(
    render_callback_request(request.url, request.headers ? *request.headers : no_headers));
  auto facts = state_->watcher ? facts_of(request) : nullptr;
  auto address = request.client ? request.client->address : std::string{};
  switch (state_->streams.begin(
    request.stream, request.via, text, std::move(facts), std::move(address))) {
  case stand_in_streams::beginning::begun:
    break;
  case stand_in_streams::beginning::held:
    log::error("gateway-front", "token_in_use", {{"token", request.stream.str()}});
    return fail(ec::internal, "this token names an open stream already");
  case stand_in_streams::beginning::full: {
    turned_away_.Increment();
    const failure why{
      ec::overloaded, "the requests of streams are as many bytes as may be kept", {}};
    caf::anon_send(request.via, refuse_stream{request.stream, why, 0});
    return fail(why.code, why.detail);
  }
  }
  call(callback_action::connect, request.stream, {}, std::move(text));
  show_numbers();
  return caf::unit;
}

void stand_in_front::open_all(const open_connections& requests) {
  for (const auto& request : requests.all)
    (void)open(request);
}

void stand_in_front::closed(const stream_closed& fact) {
  drop(fact.stream, fact.reason);
}

void stand_in_front::failed(const delivery_failed& fact) {
  // While it is calling back nothing was delivered: the report is about an earlier life.
  if (state_->streams.find(fact.stream) == stand_in_streams::state::calling_back)
    return;
  drop(fact.stream, end_reason::error);
}

result<send_status> stand_in_front::send(send_to_stream& command) {
  const auto what = command.event ? event_of(std::move(*command.event)) : nullptr;
  const auto routed = state_->streams.send(command.stream, what, command.close);
  switch (routed.what) {
  case stand_in_streams::verdict::pass_on:
    if (what)
      deliver_to(routed.via, command.stream, {what});
    if (command.close)
      caf::anon_send(routed.via, close_stream{command.stream, close_reason::requested, nullptr});
    return send_status::sent;
  case stand_in_streams::verdict::buffered:
    buffered_bytes_.Set(static_cast<double>(state_->streams.buffered_bytes()));
    return send_status::buffered;
  case stand_in_streams::verdict::full:
    overflows_.Increment();
    return fail(ec::overloaded, "too much waits for this stream to open");
  case stand_in_streams::verdict::unknown:
    break;
  }
  return fail(ec::no_such_stream, "no stream has this token");
}

void stand_in_front::answered(const backend_answered& fact) {
  if (state_->under_way > 0)
    --state_->under_way;
  if (fact.action == callback_action::connect) {
    if (fact.why.code == ec::none)
      accept(fact.stream);
    else
      refuse(fact);
  }
  show_numbers();
  answer_waiting();
}

/// Whatever is wrong with it, the stream is open: the status has said so.
void stand_in_front::read(const connect_answer_read& fact) {
  const auto refuse = [&](const char* why, std::string_view field) {
    identities_refused_.Increment();
    log::debug(
      "gateway-front", "identity_not_kept",
      {{"token", fact.stream.str()}, {"why", why}, {"field", field}});
  };
  auto who = parse_connect_answer(fact.body);
  if (!who) {
    const auto why = describe(who.error());
    return refuse(why.detail.c_str(), why.field);
  }
  if (!*who)
    return;
  if (state_->streams.identify(fact.stream, std::move(*who)) == stand_in_streams::naming::full)
    refuse("too much is kept (callback.max_identity_bytes)", {});
  show_numbers();
}

connection_page stand_in_front::list(const list_connections& query) {
  return state_->streams.page(query.after, query.limit, query.which);
}

void stand_in_front::accept(const token& stream) {
  const auto now = std::chrono::system_clock::now();
  auto opened = state_->streams.accept(stream, now);
  if (!opened)
    return; // the client has left meanwhile
  connects_.Increment();
  caf::anon_send(opened->via, attach_stream{stream});
  if (opened->facts) {
    opened->facts->opened_at = now;
    tell_watcher({stream_change::kind::opened, now, *opened->facts});
  }
  if (state_->says_ready && !opened->close)
    opened->due.push_back(event_of(send_to_stream::message{"ready", {}}));
  if (!opened->due.empty())
    deliver_to(opened->via, stream, opened->due);
  if (opened->close)
    caf::anon_send(opened->via, close_stream{stream, close_reason::requested, nullptr});
}

void stand_in_front::refuse(const backend_answered& fact) {
  const auto via = state_->streams.refuse(fact.stream);
  if (!via)
    return;
  log::debug(
    "gateway-front", "stream_refused",
    {{"token", fact.stream.str()}, {"why", to_string(fact.why.code)}, {"status", fact.status}});
  caf::anon_send(*via, refuse_stream{fact.stream, fact.why, fact.status});
}

/// Drops a stream that is gone from the table, and tells the backend if it had heard that the
/// stream is open.
void stand_in_front::drop(const token& stream, end_reason reason) {
  auto gone = state_->streams.remove(stream);
  if (!gone)
    return;
  if (gone->was != stand_in_streams::state::calling_back) {
    disconnects_.Increment();
    if (gone->facts)
      tell_watcher(
        {stream_change::kind::closed, std::chrono::system_clock::now(), *gone->facts,
         std::string{to_string(reason)}});
    call(callback_action::disconnect, stream, reason, std::move(gone->request));
  }
  show_numbers();
  answer_waiting();
}

void stand_in_front::tell_watcher(stream_change change) {
  streams_changed facts;
  facts.all.push_back(std::move(change));
  caf::anon_send(state_->watcher, std::move(facts));
}

void stand_in_front::call(
  callback_action action, const token& stream, end_reason reason,
  stand_in_streams::request_text request) {
  ++state_->under_way;
  caf::anon_send(
    backend_,
    call_backend{
      action, stream, reason, std::move(request), caf::actor_cast<backend_listener_actor>(self_)});
}

result<void> stand_in_front::begin_shutdown(const herald::begin_shutdown&) {
  state_->shutting_down = true;
  if (state_->streams.calling_back() == 0)
    return caf::unit;
  state_->waiting_for_connects.push_back(self_->make_response_promise<void>());
  return state_->waiting_for_connects.back();
}

result<void> stand_in_front::flush(const herald::flush&) {
  if (state_->under_way == 0)
    return caf::unit;
  state_->waiting_for_callbacks.push_back(self_->make_response_promise<void>());
  return state_->waiting_for_callbacks.back();
}

void stand_in_front::answer_waiting() {
  const auto answer = [](std::vector<caf::typed_response_promise<void>>& waiting) {
    for (caf::response_promise& promise : waiting)
      promise.deliver(caf::unit);
    waiting.clear();
  };
  if (state_->streams.calling_back() == 0)
    answer(state_->waiting_for_connects);
  if (state_->under_way == 0)
    answer(state_->waiting_for_callbacks);
}

void stand_in_front::show_numbers() {
  const auto& streams = state_->streams;
  active_.Set(static_cast<double>(streams.size() - streams.calling_back()));
  calling_back_.Set(static_cast<double>(streams.calling_back()));
  buffered_bytes_.Set(static_cast<double>(streams.buffered_bytes()));
  request_bytes_.Set(static_cast<double>(streams.request_bytes()));
  identity_bytes_.Set(static_cast<double>(streams.identity_bytes()));
}

supervised<stand_in_front_actor> spawn_stand_in_front(
  caf::actor_system& system, shell_options options, stand_in_streams::limits bounds,
  backend_caller_actor backend, metrics& numbers, gateway_format generation,
  watcher_actor watcher) {
  auto state = std::make_shared<stand_in_front_state>(bounds, generation, std::move(watcher));
  const auto build = [state, backend = std::move(backend),
                      &numbers](self_pointer<stand_in_front_actor> self) {
    return std::make_unique<stand_in_front>(self, state, backend, numbers);
  };
  return spawn_supervised<stand_in_front_actor, stand_in_front>(system, std::move(options), build);
}

} // namespace herald
