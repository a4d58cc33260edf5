#include "actors/gateway/gateway_queue.hpp"

#include <algorithm>
#include <utility>

namespace herald {

using std::chrono::steady_clock;

gateway_queue::gateway_queue(gateway_options options, listener& out, random_source random)
  : options_(std::move(options)),
    out_(out),
    random_(std::move(random)),
    health_(options_, random_),
    rights_(options_.expiry_notice) {}

void gateway_queue::close(const token& to, const event_ptr& farewell, time_point now) {
  if (const auto found = by_token_.find(to); found != by_token_.end())
    order_close(found->second, farewell, now);
}

void gateway_queue::order_close(stream_ref s, const event_ptr& farewell, time_point now) {
  if (s->closing)
    return;
  const auto what = farewell ? prepare(*farewell) : nullptr;
  enqueue(s, item{what, 0, now, true});
  s->closing = true;
  ++closes_;
  rights_.remove(s->number);
  if (!what)
    return;
  what->waiting = 1;
  ++waiting_;
  waiting_bytes_ += what->json.size();
  s->bytes += what->json.size();
}

void gateway_queue::remove(const token& to) {
  if (const auto found = by_token_.find(to); found != by_token_.end())
    drop(found->second, "the stream has ended");
}

void gateway_queue::deliver(
  const delivery_batch& batch, ticket_id ticket, time_point now, time_point answer_by) {
  account_id account = 0;
  if (ticket != 0) {
    account = ++last_account_;
    // This call itself holds one send open: losses on the way must not close the account early.
    accounts_.emplace(account, gateway_queue::account{ticket, 1, 0, answer_by});
    if (answer_by != time_point::max())
      answers_.emplace(answer_by, account);
  }
  for (const auto& one : *batch) {
    prepared_ptr prepared;
    if (one.only) {
      const auto found = by_token_.find(*one.only);
      if (found == by_token_.end() || found->second->closing) {
        out_.failed(*one.only, one.what->service, "not attached");
        if (found == by_token_.end())
          out_.gone(*one.only, "not attached");
        continue;
      }
      push(found->second, *one.what, prepared, account, now);
      continue;
    }
    for (const auto& s : streams_of(one))
      push(s, *one.what, prepared, account, now);
  }
  count_outcome(account, false);
}

std::optional<gateway_queue::time_point> gateway_queue::answer_due() const {
  return answers_.empty() ? std::nullopt : std::optional{answers_.begin()->first};
}

void gateway_queue::answer_late(time_point now) {
  while (!answers_.empty() && answers_.begin()->first <= now) {
    const auto late = accounts_.extract(answers_.begin()->second);
    answers_.erase(answers_.begin());
    const auto& a = late.mapped();
    out_.settled({a.ticket, a.delivered, a.open});
  }
}

std::optional<std::string> gateway_queue::check() const {
  std::size_t waiting = 0;
  std::size_t closes = 0;
  std::size_t ready = 0;
  std::size_t backing_off = 0;
  for (auto s = streams_.begin(); s != streams_.end(); ++s) {
    const auto known = by_token_.find(s->name);
    if (known == by_token_.end() || known->second != s || by_number_[s->number] != s)
      return "a stream is not in its place";
    std::size_t bytes = 0;
    for (const auto& i : s->due) {
      waiting += i.what ? 1 : 0;
      bytes += i.what ? i.what->json.size() : 0;
      closes += i.close ? 1 : 0;
    }
    if (bytes != s->bytes)
      return "the bytes that wait for a stream are miscounted";
    if (s->due.empty() != (s->where == phase::idle))
      return "a stream waits for nothing, or has no turn";
    ready += s->where == phase::ready ? 1 : 0;
    backing_off += s->where == phase::backing_off ? 1 : 0;
  }
  if (by_token_.size() != streams_.size())
    return "a token names no stream";
  if (streams_.size() + free_numbers_.size() != by_number_.size())
    return "the number of a stream is lost";
  if (auto damage = hearers_.check())
    return damage;
  if (ready != ready_.size() || backing_off != backing_off_.size())
    return "turns are miscounted";
  if (waiting != waiting_ || closes != closes_)
    return "what waits is miscounted";
  return check_rights();
}

std::optional<gateway_queue::attempt> gateway_queue::next(time_point now) {
  if (now < health_.paused_until())
    return std::nullopt;
  wake(now);
  if (auto probe = next_probe(now))
    return probe;
  while (!ready_.empty()) {
    const auto s = ready_.front();
    if ((s->failures > 0 || down()) && !expire(s, now))
      continue;
    const auto& first = s->due.front();
    if (first.right_ends)
      return attempt{
        s->name,
        notice_of_end(std::chrono::ceil<std::chrono::milliseconds>(*first.right_ends - now))};
    return attempt{s->name, first.what, first.close};
  }
  // Where all that waited was too old, the question whether the gateway is back remains.
  return next_probe(now);
}

std::optional<gateway_queue::time_point> gateway_queue::next_due() const {
  std::optional<time_point> earliest;
  const auto consider = [&](time_point when) {
    when = std::max(when, health_.paused_until());
    earliest = earliest ? std::min(*earliest, when) : when;
  };
  if (!ready_.empty())
    consider(time_point::min());
  if (!backing_off_.empty())
    consider(backing_off_.begin()->first);
  if (const auto due = probe_due())
    consider(*due);
  return earliest;
}

void gateway_queue::finish(const attempt& which, const send_outcome& outcome, time_point now) {
  const auto link = health_.sent(outcome.result, now);
  if (link == gateway_link_health::change::down)
    out_.gateway_down(outcome.why);
  else if (link == gateway_link_health::change::up)
    out_.gateway_up();
  if (which.probe())
    last_probe_ = now;
  const auto found = by_token_.find(which.to);
  if (found == by_token_.end())
    return;
  const auto s = found->second;
  s->tried = now;
  streams_.splice(streams_.end(), streams_, s);
  if (outcome.result == send_result::gone) {
    if (!s->closing || s->tells_end)
      out_.gone(s->name, outcome.why);
    drop(s, outcome.why);
    return;
  }
  if (which.probe() || s->due.empty())
    return;
  switch (outcome.result) {
  case send_result::delivered:
    finish_delivered(s);
    return;
  case send_result::refused:
    finish_refused(s, outcome.why);
    return;
  default:
    finish_unsent(s, outcome.result, now);
  }
}

void gateway_queue::finish_delivered(stream_ref s) {
  s->failures = 0;
  auto& first = s->due.front();
  if (first.what) {
    out_.sent(first.what->service);
    count_outcome(first.account, true);
    unqueue_event(*s, first);
  }
  if (!first.close)
    return pop(s);
  if (s->tells_end)
    out_.ended(s->name);
  drop(s, {});
}

void gateway_queue::finish_refused(stream_ref s, std::string_view why) {
  s->failures = 0;
  auto& first = s->due.front();
  if (first.right_ends)
    return pop(s);
  if (!first.what) {
    // An order to close without an event, refused: there is nothing left to try.
    out_.close_lost();
    if (s->tells_end)
      out_.gone(s->name, why);
    drop(s, why);
    return;
  }
  out_.failed(s->name, first.what->service, why);
  count_outcome(first.account, false);
  if (first.close) {
    // Without its farewell, then.
    unqueue_event(*s, first);
    ready_.splice(ready_.end(), ready_, ready_.begin());
    return;
  }
  pop(s);
}

void gateway_queue::finish_unsent(stream_ref s, send_result result, time_point now) {
  ++s->failures;
  if (!expire(s, now))
    return;
  out_.retried();
  if (result == send_result::unreachable)
    // The fault of no stream: the link pauses, not the stream.
    ready_.splice(ready_.end(), ready_, ready_.begin());
  else
    back_off(s, now);
}

/// Queues an event, or loses it at a limit. `prepared` is made of it by the first stream that has
/// room: behind a gateway that hangs, preparing what is lost would be all there is to do.
void gateway_queue::push(
  stream_ref to, const event& what, prepared_ptr& prepared, account_id account, time_point now) {
  auto full = limit_of_events(*to);
  if (!full) {
    if (!prepared)
      prepared = prepare(what);
    full = limit_of_bytes(*to, *prepared);
  }
  if (full) {
    out_.lost(what.service, *full);
    return;
  }
  const auto bytes = prepared->json.size();
  enqueue(to, item{prepared, account, now});
  to->bytes += bytes;
  waiting_bytes_ += prepared->waiting++ == 0 ? bytes : 0;
  ++waiting_;
  if (account != 0)
    ++accounts_[account].open;
}

/// The caller counts it: what throws has changed nothing.
void gateway_queue::enqueue(stream_ref to, item what) {
  std::list<item> added;
  added.push_back(std::move(what));
  make_ready(to);
  to->due.splice(to->due.end(), added);
}

std::optional<gateway_queue::loss> gateway_queue::limit_of_events(const stream& s) const {
  if (s.due.size() >= options_.max_stream_events)
    return loss::stream_full;
  if (waiting_ >= options_.max_queue_events)
    return loss::shard_full;
  return std::nullopt;
}

std::optional<gateway_queue::loss>
gateway_queue::limit_of_bytes(const stream& s, const prepared_event& what) const {
  const auto bytes = what.json.size();
  if (s.bytes + bytes > options_.max_stream_bytes)
    return loss::stream_full;
  if (waiting_bytes_ + (what.waiting == 0 ? bytes : 0) > options_.max_queue_bytes)
    return loss::shard_full;
  return std::nullopt;
}

void gateway_queue::make_ready(stream_ref s) {
  if (s->where != phase::idle)
    return;
  s->turn = ready_.insert(ready_.end(), s);
  s->where = phase::ready;
}

/// Takes the stream out of the turns and pauses.
void gateway_queue::unschedule(stream_ref s) {
  if (s->where == phase::ready)
    ready_.erase(s->turn);
  else if (s->where == phase::backing_off)
    backing_off_.erase(s->pause);
  s->where = phase::idle;
}

void gateway_queue::back_off(stream_ref s, time_point now) {
  const auto pause = backing_off_.emplace(now + health_.pause(s->failures - 1), s);
  unschedule(s);
  s->where = phase::backing_off;
  s->pause = pause;
}

/// Gives the streams whose pause is over their turn.
void gateway_queue::wake(time_point now) {
  while (!backing_off_.empty() && backing_off_.begin()->first <= now) {
    const auto s = backing_off_.begin()->second;
    const auto turn = ready_.insert(ready_.end(), s);
    unschedule(s);
    s->where = phase::ready;
    s->turn = turn;
  }
}

/// Takes the event out of an item; what remains, if anything, is an order to close.
void gateway_queue::unqueue_event(stream& s, item& i) {
  if (!i.what)
    return;
  const auto bytes = i.what->json.size();
  s.bytes -= bytes;
  --waiting_;
  if (--i.what->waiting == 0)
    waiting_bytes_ -= bytes;
  i.what.reset();
}

/// Removes the first item; the stream goes to the end of the turns, or rests.
void gateway_queue::pop(stream_ref s) {
  unqueue_event(*s, s->due.front());
  s->due.pop_front();
  if (s->due.empty())
    unschedule(s);
  else
    ready_.splice(ready_.end(), ready_, s->turn);
}

/// Removes the stream. What waits for it has failed.
void gateway_queue::drop(stream_ref s, std::string_view why) {
  unschedule(s);
  for (auto& i : s->due) {
    if (i.close)
      --closes_;
    if (!i.what)
      continue;
    out_.failed(s->name, i.what->service, why);
    count_outcome(i.account, false);
    unqueue_event(*s, i);
  }
  hearers_.remove(s->number);
  rights_.remove(s->number);
  free_numbers_.push_back(s->number);
  by_token_.erase(s->name);
  streams_.erase(s);
}

/// Counts as lost what is too old to be tried again. False if nothing is left to send.
bool gateway_queue::expire(stream_ref s, time_point now) {
  while (!s->due.empty()) {
    auto& first = s->due.front();
    const auto age = now - first.queued;
    if (age < options_.retry_ms)
      return true;
    if (first.what) {
      out_.lost(first.what->service, loss::expired);
      count_outcome(first.account, false);
      unqueue_event(*s, first);
    }
    if (!first.close) {
      s->due.pop_front();
      continue;
    }
    if (!hurried_ && (s->tells_end || age < options_.close_retry))
      return true;
    out_.close_lost();
    drop(s, "the order to close it was lost");
    return false;
  }
  unschedule(s);
  return false;
}

void gateway_queue::count_outcome(account_id account, bool delivered) {
  const auto found = accounts_.find(account);
  if (found == accounts_.end())
    return;
  auto& a = found->second;
  a.delivered += delivered ? 1 : 0;
  if (--a.open > 0)
    return;
  const delivery_settled fact{a.ticket, a.delivered, 0};
  answers_.erase({a.answer_by, account});
  accounts_.erase(found);
  out_.settled(fact);
}

std::optional<gateway_queue::attempt> gateway_queue::next_probe(time_point now) const {
  const auto due = probe_due();
  if (!due || *due > now)
    return std::nullopt;
  return attempt{streams_.front().name, nullptr, false};
}

std::optional<gateway_queue::time_point> gateway_queue::probe_due() const {
  if (streams_.empty() || options_.probe_interval_s.count() == 0)
    return std::nullopt;
  const auto& first = streams_.front();
  // A stream with something to send finds out anyway.
  if (!first.due.empty())
    return std::nullopt;
  // Whether the gateway is back is worth asking often, by whatever there is to send.
  if (down())
    return ready_.empty() ? std::optional{health_.paused_until()} : std::nullopt;
  // It may be one that the gateway has forgotten.
  if (first.tried < health_.back_since())
    return last_probe_ + options_.sweep_spacing;
  const auto count = static_cast<steady_clock::rep>(streams_.size());
  return std::max(
    first.tried + options_.probe_interval_s,
    last_probe_ + steady_clock::duration{options_.probe_interval_s} / count);
}

} // namespace herald
