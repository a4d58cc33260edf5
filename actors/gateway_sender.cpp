#include "actors/gateway_sender.hpp"

#include <chrono>
#include <utility>

#include "actors/supervisor.hpp"

namespace herald {

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
    state_(state),
    link_(state.parts.connect([this](send_outcome how) {
      const auto self = caf::actor_cast<interface>(self_);
      caf::anon_send(self, send_ended{sending_->number, std::move(how)});
    })) {
  if (const auto damage = state_.queue.check())
    throw state_damaged(*damage);
  arrange();
}

shell<gateway_sender_actor, gateway_sender>::behavior_type
gateway_sender::behavior(shell<interface, gateway_sender>& s) {
  return {
    s.repeatable(&gateway_sender::attach),
    s.on(&gateway_sender::refuse),
    s.repeatable(&gateway_sender::close),
    s.repeatable(&gateway_sender::deliver),
    s.repeatable(&gateway_sender::closed),
    s.on(&gateway_sender::flush),
    s.on(&gateway_sender::send),
    s.on(&gateway_sender::ended),
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
  state_.queue.attach(m.stream, now(), m.doubtful);
  auto missed = m.missed;
  auto due = std::make_shared<std::vector<delivery>>();
  while (auto what = missed.next())
    due->push_back({std::move(what), m.stream});
  if (!due->empty())
    state_.queue.deliver(due, 0, now());
  arrange();
}

void gateway_sender::refuse(const refuse_stream&) {
  // The answer to the gateway's callback has said so.
}

void gateway_sender::close(const close_stream& m) {
  state_.queue.close(m.stream, m.farewell, now());
  arrange();
}

void gateway_sender::deliver(const herald::deliver& m) {
  state_.queue.deliver(m.batch, m.ticket, now());
  arrange();
}

void gateway_sender::closed(const stream_closed& m) {
  state_.queue.forget(m.stream);
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
  send_due();
  arrange();
}

void gateway_sender::ended(const send_ended& m) {
  if (!sending_ || sending_->number != m.number)
    return;
  const auto done = *std::exchange(sending_, std::nullopt);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - done.began;
  state_.report.posted(done.what, m.how, taken.count());
  state_.queue.finish(done.what, m.how, now());
  // The next one goes at once, without a turn of its own.
  send_due();
  arrange();
}

void gateway_sender::send_due() {
  // A timer that runs out while a turn is waiting has nothing to add.
  if (sending_ || turn_ != 0)
    return;
  auto due = state_.queue.next(now());
  if (!due)
    return;
  write_send_body(body_, due->to, due->what.get(), due->close);
  sending_ = {++state_.last_number, std::move(*due), std::chrono::steady_clock::now()};
  link_->post(body_);
}

void gateway_sender::settle() {
  state_.queue.hurry(false);
  for (auto& waiting : std::exchange(state_.flushes, {}))
    waiting.deliver(caf::unit);
}

void gateway_sender::arrange() {
  const auto current = now();
  state_.report.note(state_.queue, current);
  if (state_.queue.empty() && !state_.flushes.empty())
    settle();
  if (sending_ || turn_ != 0)
    return;
  const auto due = state_.queue.next_due();
  if (!due)
    return;
  const auto self = caf::actor_cast<interface>(self_);
  if (*due <= current) {
    turn_ = ++state_.last_number;
    caf::anon_send(self, send_next{turn_});
  } else if (timer_ == 0 || *due < timer_due_) {
    timer_ = ++state_.last_number;
    timer_due_ = *due;
    caf::delayed_anon_send(self, *due - current, send_next{timer_});
  }
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
