#include "actors/webhooks/webhooks.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

#include <caf/response_promise.hpp>
#include <caf/send.hpp>

#include "actors/telemetry/log.hpp"
#include "actors/webhooks/webhook_json.hpp"
#include "actors/webhooks/webhook_metrics.hpp"
#include "messages/wire/task_json.hpp"

namespace herald {

namespace {

using time_point = webhook_queue::time_point;

constexpr const char* component = "webhooks";
/// Losses are logged together, at most this often.
constexpr std::chrono::seconds loss_log_pause{10};
/// Longest time between two looks at what is due: see `set_alarm`.
constexpr std::chrono::seconds longest_alarm{10};

webhook_limits limits_of(const webhook_settings& s) {
  return {s.max_batch_events, s.max_batch_bytes, s.max_queue_events, s.max_queue_bytes,
          s.max_age_s,        s.min_backoff_ms,  s.max_backoff_ms};
}

std::uint64_t first_number() {
  using namespace std::chrono;
  const auto now = system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(duration_cast<microseconds>(now).count());
}

/// The state that outlives a restart of the inside.
struct webhooks_state {
  webhooks_state(const webhook_settings& settings, webhook_post to, webhook_memory memory)
    : post(std::move(to)),
      former(std::move(memory)),
      journal(former.journal),
      queue(limits_of(settings), std::max(former.left.last_number, first_number())) {}

  const webhook_post post;
  /// Taken up by the first inside.
  webhook_memory former;
  const journal_actor journal;
  webhook_queue queue;
  /// Streams of a former life that the receiver takes for open, and that are; their topics.
  std::unordered_set<token> known_streams;
  std::set<std::string> known_topics;
  bool failing = false;
  webhook_queue::losses unlogged;
  std::optional<time_point> losses_logged;
  std::size_t sent_events = 0;
  time_point sent_at;
  std::optional<time_point> alarm;
  std::uint64_t last_alarm = 0;
  std::vector<caf::response_promise> flushes;
  std::minstd_rand random{std::random_device{}()};
};

class webhooks {
public:
  using interface = webhooks_actor::extend<
    caf::reacts_to<entries_recorded>, caf::reacts_to<webhook_answered>,
    caf::reacts_to<webhook_timer>>;
  using self_type = self_pointer<interface>;
  using shell_type = shell<interface, webhooks>;

  webhooks(self_type self, std::shared_ptr<webhooks_state> state, metrics& numbers)
    : self_(self),
      state_(std::move(state)),
      numbers_(numbers) {
    if (const auto damage = state_->queue.check())
      throw state_damaged(*damage);
    take_up_former();
    after_change();
  }

  static shell_type::behavior_type behavior(shell_type& s) {
    return {
      s.repeatable(&webhooks::on_streams),
      s.repeatable(&webhooks::on_task),
      s.on(&webhooks::on_flush),
      s.repeatable(&webhooks::on_recorded),
      s.repeatable(&webhooks::on_answer),
      s.repeatable(&webhooks::on_timer),
      s.control(),
    };
  }

  void on_streams(const streams_changed& facts);
  void on_task(const task_ended& fact);
  result<void> on_flush(const flush&);
  void on_recorded(const entries_recorded& fact);
  void on_answer(const webhook_answered& fact);
  void on_timer(const webhook_timer& due);

private:
  /// What a message, or the beginning, adds to the journal.
  struct additions {
    webhooks_kept events;
    std::vector<journal_entry> streams;
  };

  [[nodiscard]] time_point now() const { return self_->clock().now(); }
  void take_up_former();
  void tell_change(const stream_change& change, additions& into);
  void tell_adopted(const stream_change& change, additions& into);
  void tell(const char* type, wall_time at, std::string data, additions& into);
  void tell_topic(const char* type, wall_time at, const std::string& topic, additions& into);
  void tell_task(const task_view& task, additions& into);
  void record(additions added);
  void record_gone();
  void after_change();
  void send();
  void note_losses();
  void log_losses();
  void note_outcome(const webhook_answered& fact);
  void set_alarm();
  void give_flushes();

  self_type self_;
  std::shared_ptr<webhooks_state> state_;
  webhook_metrics numbers_;
};

/// Tells what a former life could not: what it has left, what its end has closed.
void webhooks::take_up_former() {
  auto& s = *state_;
  auto former = std::exchange(s.former, {});
  const auto here = now();
  const auto wall = std::chrono::system_clock::now();
  for (auto& event : former.left.events) {
    const auto age = std::max(wall - event.at, wall_time::duration{0});
    s.queue.restore(std::move(event), here - age);
  }
  additions added;
  const std::unordered_set<token> still_open{former.still_open.begin(), former.still_open.end()};
  std::set<std::string> vacated;
  for (const auto& stream : former.left.streams) {
    if (still_open.contains(stream.stream)) {
      s.known_streams.insert(stream.stream);
      s.known_topics.insert(stream.topics.begin(), stream.topics.end());
      continue;
    }
    tell_change({stream_change::kind::closed, wall, stream, "restart"}, added);
    vacated.insert(stream.topics.begin(), stream.topics.end());
  }
  for (const auto& topic : vacated)
    if (!s.known_topics.contains(topic))
      tell_topic("topic.vacant", wall, topic, added);
  for (const auto& task : former.ended)
    tell_task(task, added);
  record(std::move(added));
}

void webhooks::on_streams(const streams_changed& facts) {
  additions added;
  for (const auto& change : facts.all)
    tell_change(change, added);
  record(std::move(added));
  after_change();
}

void webhooks::on_task(const task_ended& fact) {
  additions added;
  tell_task(fact.task, added);
  record(std::move(added));
  after_change();
}

void webhooks::tell_change(const stream_change& change, additions& into) {
  const auto& stream = change.stream;
  switch (change.what) {
  case stream_change::kind::opened:
    tell("stream.opened", change.at, opened_json(stream), into);
    into.streams.emplace_back(told_stream_kept{stream});
    break;
  case stream_change::kind::closed:
    tell("stream.closed", change.at, closed_json(stream, change.reason, change.at), into);
    into.streams.emplace_back(told_stream_dropped{stream.stream});
    break;
  case stream_change::kind::adopted:
    tell_adopted(change, into);
    break;
  case stream_change::kind::retuned:
    into.streams.emplace_back(told_stream_kept{stream});
    break;
  case stream_change::kind::occupied:
    tell_topic("topic.occupied", change.at, change.topic, into);
    break;
  case stream_change::kind::vacated:
    tell_topic("topic.vacant", change.at, change.topic, into);
    break;
  }
}

/// The receiver may know of it from the former life.
void webhooks::tell_adopted(const stream_change& change, additions& into) {
  auto& s = *state_;
  if (s.known_streams.erase(change.stream.stream) == 0)
    tell("stream.opened", change.at, opened_json(change.stream), into);
  for (const auto& topic : change.stream.topics)
    if (s.known_topics.insert(topic).second)
      tell_topic("topic.occupied", change.at, topic, into);
  into.streams.emplace_back(told_stream_kept{change.stream});
}

void webhooks::tell(const char* type, wall_time at, std::string data, additions& into) {
  const auto& event = state_->queue.push(type, at, std::move(data), now());
  if (state_->journal)
    into.events.events.push_back(event);
}

void webhooks::tell_topic(
  const char* type, wall_time at, const std::string& topic, additions& into) {
  tell(type, at, topic_json(topic), into);
}

void webhooks::tell_task(const task_view& task, additions& into) {
  tell("task.ended", task.end_time.value_or(std::chrono::system_clock::now()), to_json(task), into);
  into.events.ended.push_back(task.id);
}

/// What was told may be sent once it is in the file.
void webhooks::record(additions added) {
  auto& s = *state_;
  if (!s.journal) {
    s.queue.release(s.queue.last_number());
    return;
  }
  record_entries command;
  if (!added.events.events.empty()) {
    command.ticket = added.events.events.back().number;
    command.listener = caf::actor_cast<journal_listener_actor>(self_);
    command.entries.emplace_back(std::move(added.events));
  }
  std::move(added.streams.begin(), added.streams.end(), std::back_inserter(command.entries));
  if (!command.entries.empty())
    caf::anon_send(s.journal, std::move(command));
}

/// Written, or not to be written: it waits no longer.
void webhooks::on_recorded(const entries_recorded& fact) {
  state_->queue.release(fact.last);
  after_change();
}

void webhooks::on_answer(const webhook_answered& fact) {
  auto& s = *state_;
  if (!s.queue.under_way())
    return;
  if (fact.why.code == ec::none) {
    s.queue.answered();
    numbers_.answered.Increment(static_cast<double>(s.sent_events));
  } else {
    s.queue.failed(now(), std::uniform_real_distribution<>{0, 1}(s.random));
  }
  note_outcome(fact);
  // Whoever has waited for the end of it does so no longer: the receiver is not there.
  if (fact.why.code != ec::none)
    give_flushes();
  after_change();
}

void webhooks::note_outcome(const webhook_answered& fact) {
  auto& s = *state_;
  const bool good = fact.why.code == ec::none;
  if (good)
    numbers_.batches_answered.Increment();
  else
    (fact.status != 0 ? numbers_.batches_refused : numbers_.batches_failed).Increment();
  numbers_.took.Observe(std::chrono::duration<double>(now() - s.sent_at).count());
  if (good != std::exchange(s.failing, !good))
    return;
  numbers_.failing.Set(good ? 0 : 1);
  if (good)
    log::info(component, "receiver_recovered", {{"waiting", s.queue.size()}});
  else
    log::warning(
      component, "receiver_failing",
      {{"error", to_string(fact.why.code)}, {"status", fact.status}, {"detail", fact.why.detail}});
}

void webhooks::on_timer(const webhook_timer& due) {
  if (due.number != state_->last_alarm)
    return;
  state_->alarm.reset();
  state_->queue.expire(now());
  after_change();
}

result<void> webhooks::on_flush(const flush&) {
  auto& s = *state_;
  if (s.queue.size() == 0)
    return caf::unit;
  s.flushes.push_back(self_->make_response_promise());
  s.queue.hurry();
  after_change();
  return caf::delegated<void>{};
}

/// Without a journal what waits now ends with the process.
void webhooks::give_flushes() {
  auto& s = *state_;
  if (s.flushes.empty())
    return;
  if (!s.journal && s.queue.size() != 0) {
    numbers_.lost_at_end.Increment(static_cast<double>(s.queue.size()));
    log::error(component, "events_lost", {{"count", s.queue.size()}, {"reason", "shutdown"}});
  }
  for (auto& waiting : std::exchange(s.flushes, {}))
    waiting.deliver(caf::unit);
}

void webhooks::after_change() {
  auto& s = *state_;
  send();
  note_losses();
  record_gone();
  numbers_.events.Set(static_cast<double>(s.queue.size()));
  numbers_.bytes.Set(static_cast<double>(s.queue.bytes()));
  if (s.queue.size() == 0)
    give_flushes();
  set_alarm();
}

void webhooks::send() {
  auto& s = *state_;
  const auto batch = s.queue.take(now());
  if (!batch)
    return;
  s.sent_events = batch->events;
  s.sent_at = now();
  s.post(*batch, [me = caf::actor_cast<interface>(self_)](const webhook_answered& how) {
    caf::anon_send(me, how);
  });
}

void webhooks::note_losses() {
  auto& s = *state_;
  const auto lost = s.queue.take_losses();
  numbers_.lost_full.Increment(static_cast<double>(lost.full));
  numbers_.lost_old.Increment(static_cast<double>(lost.old));
  s.unlogged.full += lost.full;
  s.unlogged.old += lost.old;
  if (!s.losses_logged || now() - *s.losses_logged >= loss_log_pause)
    log_losses();
}

void webhooks::log_losses() {
  auto& s = *state_;
  for (const auto& [count, reason] :
       {std::pair{s.unlogged.full, "webhook.max_queue_events or webhook.max_queue_bytes"},
        std::pair{s.unlogged.old, "webhook.max_age_s"}}) {
    if (count == 0)
      continue;
    log::error(component, "events_lost", {{"count", count}, {"reason", reason}});
    s.losses_logged = now();
  }
  s.unlogged = {};
}

void webhooks::record_gone() {
  auto& s = *state_;
  record_entries command;
  for (const auto& [first, last] : s.queue.take_gone())
    command.entries.emplace_back(webhooks_dropped{first, last});
  if (s.journal && !command.entries.empty())
    caf::anon_send(s.journal, std::move(command));
}

/// A delayed message cannot be taken back: one that an earlier one has made useless is around for
/// `longest_alarm` at most.
void webhooks::set_alarm() {
  auto& s = *state_;
  auto due = s.queue.due();
  if (s.unlogged.full + s.unlogged.old != 0) {
    const auto log = *s.losses_logged + loss_log_pause;
    due = due ? std::min(*due, log) : log;
  }
  if (!due || (s.alarm && *s.alarm <= *due))
    return;
  const auto here = now();
  const auto wait = std::clamp<time_point::duration>(*due - here, {}, longest_alarm);
  s.alarm = here + wait;
  self_->delayed_send(caf::actor_cast<interface>(self_), wait, webhook_timer{++s.last_alarm});
}

} // namespace

supervised<webhooks_actor> spawn_webhooks(
  caf::actor_system& system, shell_options options, const webhook_settings& settings,
  webhook_post post, metrics& numbers, webhook_memory memory) {
  auto state = std::make_shared<webhooks_state>(settings, std::move(post), std::move(memory));
  return spawn_supervised<webhooks::interface, webhooks>(
    system, std::move(options), [state, &numbers](webhooks::self_type self) {
      return std::make_unique<webhooks>(self, state, numbers);
    });
}

} // namespace herald
