#include "actors/idempotency/idempotency.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include <caf/response_promise.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/supervision/pass_on.hpp"
#include "actors/supervision/pending_answers.hpp"

namespace herald {

namespace {

/// Between two looks for what is old.
constexpr std::chrono::seconds look_pause{1};

struct key_metrics {
  explicit key_metrics(metrics& numbers)
    : keys(numbers.gauge("herald_idempotency_keys", "Keys of requests that are known.")),
      bytes(numbers.gauge("herald_idempotency_bytes", "Memory of keys and their answers.")),
      replayed(numbers.counter(
        "herald_idempotency_replayed_total",
        "Requests answered as one with their key was before.")),
      conflicts(numbers.counter(
        "herald_idempotency_conflicts_total", "Requests refused for the other body of their key.")),
      refused(numbers.counter(
        "herald_idempotency_refused_total",
        "Requests refused because too many with a key are under way.")) {}

  prometheus::Gauge& keys;
  prometheus::Gauge& bytes;
  prometheus::Counter& replayed;
  prometheus::Counter& conflicts;
  prometheus::Counter& refused;
};

/// The state that outlives a restart of the inside.
struct idempotency_state {
  idempotency_state(
    const key_limits& limits, journal_actor to, std::vector<claim_keeper_actor> orders)
    : journal(std::move(to)),
      way(std::move(orders)),
      book(limits) {}

  const journal_actor journal;
  const std::vector<claim_keeper_actor> way;
  key_book book;
  std::map<claim_id, caf::typed_response_promise<key_grant>> claiming;
  std::map<claim_id, caf::response_promise> settling;
  /// Names of keys, by the ticket of their record.
  pending_answers<std::vector<std::string>> recording;
  ticket_id last_ticket = 0;
  std::uint64_t last_look = 0;
  std::random_device random;

  /// A random UUID (RFC 9562).
  token seed() {
    const auto draw = [this] {
      return std::uint64_t{random()} << 32 | random();
    };
    return token::from_bits((draw() & ~0xf000ULL) | 0x4000ULL, (draw() >> 2) | (1ULL << 63));
  }
};

class idempotency {
public:
  using interface =
    idempotency_actor::extend<caf::reacts_to<entries_recorded>, caf::reacts_to<expire_keys>>;
  using self_type = self_pointer<interface>;
  using shell_type = shell<interface, idempotency>;

  idempotency(self_type self, std::shared_ptr<idempotency_state> state, metrics& numbers)
    : self_(self),
      state_(std::move(state)),
      numbers_(numbers) {
    if (const auto damage = state_->book.check())
      throw state_damaged(*damage);
    after_change();
  }

  static shell_type::behavior_type behavior(shell_type& s) {
    return {
      s.refusable(&idempotency::on_claim),     s.on(&idempotency::on_settle),
      s.repeatable(&idempotency::on_leave),    s.repeatable(&idempotency::on_answered),
      s.repeatable(&idempotency::on_released), s.repeatable(&idempotency::on_recorded),
      s.repeatable(&idempotency::on_expire),   s.control(),
    };
  }

  result<key_grant> on_claim(const claim_key& wish);
  result<void> on_settle(const settle_claim& command);
  void on_leave(const leave_claim& fact);
  void on_answered(const claim_answered& fact);
  void on_released(const claim_released& fact);
  void on_recorded(const entries_recorded& fact);
  void on_expire(const expire_keys& order);

private:
  [[nodiscard]] key_book::time_point now() const { return self_->clock().now(); }
  void find_out(claim_id claim);
  void after_change();
  void tell(const key_book::verdict& one);
  void record();
  void order_records();

  self_type self_;
  std::shared_ptr<idempotency_state> state_;
  key_metrics numbers_;
  /// The order to look for what is old that is to come; 0 if there is none.
  std::uint64_t look_ = 0;
};

result<key_grant> idempotency::on_claim(const claim_key& wish) {
  auto answer = self_->make_response_promise<key_grant>();
  state_->claiming.insert_or_assign(wish.claim, answer);
  state_->book.claim(wish, state_->seed(), now());
  after_change();
  return answer;
}

result<void> idempotency::on_settle(const settle_claim& command) {
  auto answer = self_->make_response_promise();
  state_->settling.insert_or_assign(command.claim, answer);
  state_->book.settle(command.claim, command.answer, now());
  after_change();
  return answer;
}

void idempotency::on_leave(const leave_claim& fact) {
  state_->claiming.erase(fact.claim);
  state_->settling.erase(fact.claim);
  if (state_->book.leave(fact.claim, fact.untouched, now()))
    find_out(fact.claim);
  after_change();
}

/// Asks behind all that was ordered for the claim.
void idempotency::find_out(claim_id claim) {
  release_claim order{claim, caf::actor_cast<claim_listener_actor>(self_), state_->way};
  if (!pass_on(order))
    caf::anon_send(order.listener, claim_released{claim});
}

void idempotency::on_answered(const claim_answered& fact) {
  state_->book.answered(fact.claim, fact.answer, now());
  after_change();
}

void idempotency::on_released(const claim_released& fact) {
  state_->book.released(fact.claim, now());
  after_change();
}

void idempotency::on_recorded(const entries_recorded& fact) {
  state_->recording.journal_answered(fact, [&](const auto& names, const failure& why) {
    for (const auto& name : names)
      state_->book.recorded(name, why, now());
  });
  after_change();
}

void idempotency::on_expire(const expire_keys& order) {
  if (order.number != look_)
    return;
  for (const auto claim : state_->book.expire(now()))
    on_leave(leave_claim{claim});
  look_ = 0;
  after_change();
}

void idempotency::after_change() {
  // What is recorded at once without a journal is told in the next round.
  do {
    for (const auto& one : state_->book.verdicts())
      tell(one);
    state_->book.verdicts_told();
    record();
  } while (!state_->book.verdicts().empty());
  numbers_.keys.Set(static_cast<double>(state_->book.size()));
  numbers_.bytes.Set(static_cast<double>(state_->book.bytes()));
  if (look_ == 0 && state_->book.size() != 0) {
    look_ = ++state_->last_look;
    self_->delayed_send(caf::actor_cast<interface>(self_), look_pause, expire_keys{look_});
  }
}

/// May be repeated: who was told is not told again.
void idempotency::tell(const key_book::verdict& one) {
  using kind = key_book::verdict::kind;
  auto& s = *state_;
  if (const auto settling = s.settling.find(one.claim); settling != s.settling.end()) {
    if (one.what == kind::failed)
      settling->second.deliver(fail(one.why.code, one.why.detail));
    else
      settling->second.deliver(caf::unit);
    s.settling.erase(settling);
    return;
  }
  const auto claiming = s.claiming.find(one.claim);
  if (claiming == s.claiming.end())
    return;
  if (one.what == kind::failed)
    claiming->second.deliver(fail(one.why.code, one.why.detail, one.why.field));
  else
    claiming->second.deliver(key_grant{one.answer, one.seed});
  s.claiming.erase(claiming);
  if (one.what == kind::answered)
    numbers_.replayed.Increment();
  if (one.why.code == ec::key_reused)
    numbers_.conflicts.Increment();
  if (one.why.code == ec::overloaded)
    numbers_.refused.Increment();
}

void idempotency::record() {
  auto& book = state_->book;
  if (book.orders().empty() && book.dropped().empty())
    return;
  if (state_->journal) {
    order_records();
  } else {
    // One that is recorded may be the end of a wait for another.
    for (std::size_t i = 0; i < book.orders().size(); ++i) {
      const auto key = book.orders()[i].key;
      book.recorded(key->name, {ec::none, {}, {}}, now());
    }
  }
  book.orders_given();
}

/// Orders all or, where memory is out, nothing.
void idempotency::order_records() {
  auto& s = *state_;
  record_entries command;
  for (const auto& key : s.book.dropped())
    command.entries.emplace_back(answer_dropped{key->name});
  const auto at = std::chrono::system_clock::now();
  std::vector<std::string> names;
  for (const auto& one : s.book.orders()) {
    names.push_back(one.key->name);
    command.entries.emplace_back(answer_kept{*one.key, one.seed, one.answer, at});
  }
  // Nobody waits for what is only dropped.
  const auto ticket = names.empty() ? ticket_id{0} : ++s.last_ticket;
  if (ticket != 0) {
    command.ticket = ticket;
    command.listener = caf::actor_cast<journal_listener_actor>(self_);
    s.recording.add(ticket, std::move(names), {.journal = true});
  }
  try {
    caf::anon_send(s.journal, std::move(command));
  } catch (...) {
    (void)s.recording.remove(ticket);
    throw;
  }
}

} // namespace

supervised<idempotency_actor> spawn_idempotency(
  caf::actor_system& system, shell_options options, const key_limits& limits, metrics& numbers,
  std::vector<claim_keeper_actor> way, key_memory memory) {
  auto state =
    std::make_shared<idempotency_state>(limits, std::move(memory.journal), std::move(way));
  const auto now = system.clock().now();
  const auto wall = std::chrono::system_clock::now();
  for (const auto& one : memory.answers)
    state->book.restore(one, now - std::max(wall - one.at, wall_time::duration{0}));
  return spawn_supervised<idempotency::interface, idempotency>(
    system, std::move(options), [state, &numbers](idempotency::self_type self) {
      return std::make_unique<idempotency>(self, state, numbers);
    });
}

} // namespace herald
