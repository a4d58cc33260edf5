#include "actors/gateway/gateway_sender.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/supervision/supervisor.hpp"

namespace herald {

using std::chrono::system_clock;

namespace {

/// Rights end by the clock on the wall: no timer says that it was set, or that the machine slept.
constexpr std::chrono::seconds longest_rights_pause{1};

} // namespace

gateway_sender::shard::shard(std::size_t index, gateway_shard_parts from, metrics& numbers)
  : parts(std::move(from)),
    report(index, parts.owner, numbers),
    queue(parts.options, report, parts.random) {}

gateway_sender::shard::~shard() {
  for (auto& waiting : flushes)
    waiting.deliver(fail(ec::shutting_down, "the gateway sender has ended"));
}

gateway_sender::gateway_sender(self_pointer<interface> self, shard& state)
  : self_(self),
    state_(state) {
  if (const auto damage = state_.queue.check())
    throw state_damaged(*damage);
  if (!state_.link)
    connect();
  if (state_.current && state_.current->how)
    // The message that was to account for it has failed for good.
    order_turn();
  arrange();
}

shell<gateway_sender_actor, gateway_sender>::behavior_type
gateway_sender::behavior(shell<interface, gateway_sender>& s) {
  return {
    s.repeatable(&gateway_sender::attach),
    s.on(&gateway_sender::refuse),
    s.repeatable(&gateway_sender::close),
    s.repeatable(&gateway_sender::change),
    s.refusable(&gateway_sender::backlogs),
    s.repeatable(&gateway_sender::deliver),
    s.repeatable(&gateway_sender::closed),
    s.on(&gateway_sender::flush),
    s.on(&gateway_sender::send),
    s.repeatable(&gateway_sender::ended),
    s.control(),
  };
}

shell<gateway_sender_actor, gateway_sender>::builder
gateway_sender::builder(std::size_t index, gateway_shard_parts parts, metrics& numbers) {
  auto state = std::make_shared<shard>(index, std::move(parts), numbers);
  return [state](self_pointer<interface> self) {
    return std::make_unique<gateway_sender>(self, *state);
  };
}

void gateway_sender::attach(const attach_stream& m) {
  const auto wall = system_clock::now();
  if (state_.queue.is_over(m.expires_at, wall)) {
    state_.queue.turn_away(m.stream, now());
    arrange();
    return;
  }
  state_.queue.attach(m.stream, now(), m.doubtful, m.hears);
  state_.queue.limit(m.stream, wall, m.expires_at);
  auto missed = m.missed;
  std::vector<delivery> due;
  while (auto what = missed.next())
    due.push_back({std::move(what), m.stream});
  queue_first(std::move(due));
  arrange();
}

/// Queues what a stream gets before all that is delivered from here on.
void gateway_sender::queue_first(std::vector<delivery> due) {
  if (!due.empty())
    state_.queue.deliver(std::make_shared<const std::vector<delivery>>(std::move(due)), 0, now());
}

void gateway_sender::refuse(const refuse_stream&) {
  // The answer to the gateway's callback has said so.
}

void gateway_sender::close(const close_stream& m) {
  state_.queue.close(m.stream, m.farewell, now());
  arrange();
}

void gateway_sender::change(const change_reach& m) {
  state_.queue.change(m.stream, m.hears);
  // Where it may come back from is the gateway's matter.
  std::vector<delivery> due;
  for (const auto& value : m.values)
    due.push_back({value, m.stream});
  queue_first(std::move(due));
  arrange();
}

void gateway_sender::deliver(const herald::deliver& m) {
  state_.queue.deliver(m.batch, m.ticket, now(), m.answer_by);
  arrange();
}

stream_backlogs gateway_sender::backlogs(const get_backlogs& query) {
  stream_backlogs found;
  for (const auto& stream : query.streams)
    found.of.push_back(state_.queue.backlog_of(stream));
  return found;
}

void gateway_sender::closed(const stream_closed& m) {
  state_.queue.remove(m.stream);
  arrange();
}

result<void> gateway_sender::flush(const herald::flush&) {
  if (state_.queue.empty())
    return caf::unit;
  state_.flushes.push_back(self_->make_response_promise());
  state_.queue.hurry(true);
  arrange();
  return caf::delegated<void>{};
}

void gateway_sender::send(const send_next& m) {
  if (m.number == turn_)
    turn_ = 0;
  else if (m.number == timer_)
    timer_ = 0;
  else
    return;
  state_.queue.end_rights(system_clock::now(), now());
  go_on();
  arrange();
}

void gateway_sender::ended(const send_ended& m) {
  if (!state_.current || state_.current->number != m.number)
    return;
  // The next one goes at once, without a turn of its own.
  go_on();
  arrange();
}

/// The link is on the thread of this actor: it never tells of an end while a message is handled,
/// other than in answer to it.
void gateway_sender::connect() {
  state_.link = state_.parts.connect([self = self_, &state = state_](send_outcome how) {
    state.current->how = std::move(how);
    caf::anon_send(caf::actor_cast<interface>(self), send_ended{state.current->number});
  });
}

void gateway_sender::go_on() {
  auto& current = state_.current;
  if (current && current->how) {
    const auto done = *std::exchange(current, std::nullopt);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - done.began;
    state_.report.posted(done.what, *done.how, taken.count());
    state_.queue.finish(done.what, *done.how, now());
  }
  // A timer that runs out while a turn is waiting has nothing to add.
  if (current || turn_ != 0)
    return;
  auto due = state_.queue.next(now());
  if (!due)
    return;
  write_send_body(body_, due->to, due->what.get(), due->close);
  current = {++state_.last_number, std::move(*due), std::chrono::steady_clock::now()};
  try {
    state_.link->post(body_);
  } catch (...) {
    // Whatever it is in by now.
    state_.link.reset();
    current.reset();
    throw;
  }
}

void gateway_sender::answer_flushes() {
  state_.queue.hurry(false);
  for (auto& waiting : std::exchange(state_.flushes, {}))
    waiting.deliver(caf::unit);
}

void gateway_sender::arrange() {
  const auto current = now();
  state_.report.note(state_.queue, current);
  if (state_.queue.empty() && !state_.flushes.empty())
    answer_flushes();
  state_.queue.answer_late(current);
  // Whoever waits for delivery is answered in time, also while a send is under way.
  auto due = state_.queue.answer_due();
  const auto consider = [&due](const std::optional<time_point>& when) {
    if (when && (!due || *when < *due))
      due = when;
  };
  if (const auto right = state_.queue.right_due(); right && turn_ == 0)
    consider(
      current
      + std::clamp<system_clock::duration>(*right - system_clock::now(), {}, longest_rights_pause));
  if (turn_ == 0 && !state_.current) {
    consider(state_.queue.next_due());
    consider(state_.report.note_due());
  }
  if (!due)
    return;
  if (*due <= current) {
    order_turn();
  } else if (timer_ == 0 || *due < timer_due_) {
    timer_ = ++state_.last_number;
    timer_due_ = *due;
    caf::delayed_anon_send(caf::actor_cast<interface>(self_), *due - current, send_next{timer_});
  }
}

void gateway_sender::order_turn() {
  turn_ = ++state_.last_number;
  caf::anon_send(caf::actor_cast<interface>(self_), send_next{turn_});
}

gateway_sender::time_point gateway_sender::now() const {
  return self_->home_system().clock().now();
}

std::vector<supervised<gateway_sender_actor>> spawn_gateway_senders(
  caf::actor_system& system, const shell_options& each, const gateway_options& options,
  const stream_owner_actor& owner, const gateway_link_factory& connect, metrics& numbers) {
  std::vector<supervised<gateway_sender_actor>> shards;
  for (std::size_t i = 0; i < options.senders; ++i) {
    gateway_shard_parts parts{options, owner, connect, make_random_source()};
    shards.push_back(spawn_supervised<gateway_sender_actor, gateway_sender>(
      system, one_of_many(each, i), gateway_sender::builder(i, std::move(parts), numbers)));
  }
  return shards;
}

} // namespace herald
