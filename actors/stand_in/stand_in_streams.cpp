#include "actors/stand_in/stand_in_streams.hpp"

#include <algorithm>
#include <utility>

#include "messages/wire/callback_json.hpp"

namespace herald {

namespace {

std::size_t bytes_of(const identity_ptr& who) {
  return who ? who->bytes() : 0;
}

std::size_t bytes_of(const event_ptr& what) {
  return what ? what->name.size() + what->data.size() : 0;
}

} // namespace

stand_in_streams::beginning stand_in_streams::begin(
  const token& stream, delivery_actor via, request_text request, facts_ptr facts,
  std::string address) {
  if (streams_.contains(stream))
    return beginning::held;
  const auto bytes = request->size();
  if (bytes > limits_.request_bytes - std::min(request_bytes_, limits_.request_bytes))
    return beginning::full;
  auto& begun = streams_[stream];
  begun.via = std::move(via);
  begun.request = std::move(request);
  begun.facts = std::move(facts);
  begun.address = std::move(address);
  request_bytes_ += bytes;
  ++calling_back_;
  return beginning::begun;
}

std::optional<stand_in_streams::opened>
stand_in_streams::accept(const token& stream, wall_time at) {
  const auto place = find_waiting(stream);
  if (place == streams_.end())
    return std::nullopt;
  auto& accepted = place->second;
  const bool opens = !accepted.kept || !accepted.kept->close;
  // First: it needs memory.
  if (opens)
    open_.emplace(last_serial_ + 1, &*place);
  auto kept = drop_buffer(accepted);
  accepted.now = opens ? state::open : state::closing;
  accepted.serial = opens ? ++last_serial_ : 0;
  accepted.opened_at = at;
  --calling_back_;
  return opened{accepted.via, std::move(kept.events), kept.close, accepted.facts};
}

std::optional<delivery_actor> stand_in_streams::refuse(const token& stream) {
  if (find_waiting(stream) == streams_.end())
    return std::nullopt;
  return remove(stream)->via;
}

stand_in_streams::routed
stand_in_streams::send(const token& stream, const event_ptr& what, bool close) {
  const auto place = streams_.find(stream);
  if (place == streams_.end())
    return {verdict::unknown, {}};
  auto& target = place->second;
  switch (target.now) {
  case state::calling_back:
    return keep(target, what, close);
  case state::open:
    if (close) {
      target.now = state::closing;
      unlist(target);
    }
    return {verdict::pass_on, target.via};
  case state::closing:
    break;
  }
  return {verdict::unknown, {}};
}

/// An open stream is one no more.
void stand_in_streams::unlist(entry& stream) noexcept {
  open_.erase(std::exchange(stream.serial, 0));
}

stand_in_streams::naming stand_in_streams::identify(const token& stream, identity_ptr who) {
  const auto place = streams_.find(stream);
  if (place == streams_.end())
    return naming::unknown;
  const auto bytes = identity_bytes_ - bytes_of(place->second.who) + bytes_of(who);
  if (bytes > limits_.identity_bytes && bytes > identity_bytes_)
    return naming::full;
  identity_bytes_ = bytes;
  place->second.who = std::move(who);
  return naming::kept;
}

bool stand_in_streams::fits(const entry& stream, const connection_filter& which) {
  static const stream_identity nobody;
  const auto& who = stream.who ? *stream.who : nobody;
  return which.topic.empty() && (which.subject.empty() || which.subject == who.subject)
         && (which.role.empty() || std::binary_search(who.roles.begin(), who.roles.end(), which.role));
}

connection_view stand_in_streams::view_of(const table::value_type& stream) {
  const auto& [name, one] = stream;
  auto client = client_of_callback(*one.request);
  connection_view view;
  view.stream = name;
  view.url = std::move(client.path);
  view.connected_at = one.opened_at;
  view.client = {one.address, std::move(client.agent)};
  view.via = one.via;
  if (one.who) {
    view.hears.subject = one.who->subject;
    view.hears.roles = one.who->roles;
    view.hears.broadcast = one.who->hears_broadcast();
    view.bindings = one.who->bindings;
  }
  return view;
}

connection_page stand_in_streams::page(
  std::uint64_t after, std::size_t limit, const connection_filter& which) const {
  connection_page result;
  std::uint64_t last = 0;
  const auto add = [&](const auto& listed) {
    if (result.connections.size() == limit) {
      result.next = last;
      return false;
    }
    result.connections.push_back(view_of(*listed.second));
    last = listed.first;
    return true;
  };
  if (which.all()) {
    result.total = open_.size();
    for (auto next = open_.upper_bound(after); next != open_.end() && add(*next); ++next) {
    }
    return result;
  }
  for (const auto& listed : open_) {
    if (!fits(listed.second->second, which))
      continue;
    ++result.total;
    if (listed.first > after && !result.next)
      (void)add(listed);
  }
  return result;
}

stand_in_streams::routed stand_in_streams::keep(entry& stream, const event_ptr& what, bool close) {
  if (stream.kept && stream.kept->close)
    return {verdict::unknown, {}};
  if (!what && !close)
    return {verdict::buffered, {}};
  if (!stream.kept)
    stream.kept = std::make_unique<buffer>();
  auto& kept = *stream.kept;
  if (what) {
    const auto bytes = bytes_of(what);
    if (
      kept.events.size() >= limits_.stream_events || kept.bytes + bytes > limits_.stream_bytes
      || buffered_bytes_ + bytes > limits_.total_bytes)
      return {verdict::full, {}};
    kept.events.push_back(what);
    kept.bytes += bytes;
    buffered_bytes_ += bytes;
  }
  kept.close = close;
  return {verdict::buffered, {}};
}

std::optional<stand_in_streams::gone> stand_in_streams::remove(const token& stream) {
  const auto place = streams_.find(stream);
  if (place == streams_.end())
    return std::nullopt;
  auto& ended = place->second;
  drop_buffer(ended);
  unlist(ended);
  identity_bytes_ -= bytes_of(ended.who);
  if (ended.now == state::calling_back)
    --calling_back_;
  request_bytes_ -= ended.request->size();
  gone result{ended.now, std::move(ended.via), std::move(ended.request), std::move(ended.facts)};
  streams_.erase(place);
  return result;
}

std::optional<stand_in_streams::state> stand_in_streams::find(const token& stream) const {
  const auto place = streams_.find(stream);
  if (place == streams_.end())
    return std::nullopt;
  return place->second.now;
}

std::optional<std::string> stand_in_streams::check() const {
  std::size_t calling_back = 0;
  std::size_t bytes = 0;
  std::size_t request_bytes = 0;
  std::size_t open = 0;
  std::size_t identities = 0;
  for (const auto& [_, stream] : streams_) {
    calling_back += stream.now == state::calling_back ? 1 : 0;
    request_bytes += stream.request->size();
    open += stream.now == state::open && open_.contains(stream.serial) ? 1 : 0;
    identities += bytes_of(stream.who);
    if (!stream.kept)
      continue;
    if (stream.now != state::calling_back)
      return "something is kept for a stream that is open";
    std::size_t kept = 0;
    for (const auto& what : stream.kept->events)
      kept += bytes_of(what);
    if (kept != stream.kept->bytes)
      return "the bytes kept for a stream are miscounted";
    bytes += kept;
  }
  if (calling_back != calling_back_ || bytes != buffered_bytes_)
    return "streams that are calling back are miscounted";
  if (request_bytes != request_bytes_)
    return "the bytes of the requests are miscounted";
  if (open != open_.size() || identities != identity_bytes_)
    return "open streams, or what is known of them, are miscounted";
  return std::nullopt;
}

stand_in_streams::buffer stand_in_streams::drop_buffer(entry& stream) noexcept {
  if (!stream.kept)
    return {};
  auto kept = std::move(*stream.kept);
  stream.kept.reset();
  buffered_bytes_ -= kept.bytes;
  return kept;
}

stand_in_streams::table::iterator stand_in_streams::find_waiting(const token& stream) {
  const auto place = streams_.find(stream);
  if (place != streams_.end() && place->second.now != state::calling_back)
    return streams_.end();
  return place;
}

} // namespace herald
