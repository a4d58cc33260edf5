#include "actors/supervision/shell_core.hpp"

#include <exception>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/make_message.hpp>
#include <caf/send.hpp>

#include "actors/supervision/fault_hook.hpp"
#include "actors/telemetry/log.hpp"
#include "messages/type_ids.hpp"

namespace herald {

namespace {

/// Of a repeatable message. One that its handler never can bear costs as many restarts.
constexpr unsigned most_attempts = 5;

/// Moves a message out of one that CAF is about to drop.
caf::mailbox_element_ptr moved_out_of(caf::mailbox_element& letter) {
  return caf::make_mailbox_element(
    std::move(letter.sender), letter.mid, std::move(letter.stages),
    letter.move_content_to_message());
}

} // namespace

shell_options one_of_many(shell_options options, std::size_t number) {
  options.kind = options.name;
  options.name += "-" + std::to_string(number);
  return options;
}

shell_core::shell_core(shell_options options) : options_(std::move(options)) {
  if (options_.kind.empty())
    options_.kind = options_.name;
  auto* numbers = options_.numbers;
  if (numbers == nullptr)
    return;
  const metrics::labels actor = {{"actor", options_.name}};
  depth_gauge_ = &numbers->gauge("herald_actor_mailbox_depth", "Messages waiting.", actor);
  failures_ =
    &numbers->counter("herald_actor_failures_total", "Handlers that threw an exception.", actor);
  lost_ = &numbers->counter(
    "herald_actor_messages_lost_total", "Messages whose handler threw, and that nobody waits for.",
    actor);
  for (const auto* why : {"rejected", "dropped", "stopped"})
    refusals_.push_back(&numbers->counter(
      "herald_actor_refused_total", "Messages refused, by why: full mailbox, or a stopped actor.",
      {{"actor", options_.name}, {"why", why}}));
  handling_ = &numbers->short_latency(
    "herald_actor_handling_seconds", "Time that a message takes to be handled.",
    {{"actor", options_.kind}});
}

void shell_core::add(message_rule rule) {
  rules_.push_back(std::move(rule));
}

void shell_core::start() {
  open_.store(true, std::memory_order_release);
  if (options_.supervisor)
    caf::anon_send(
      options_.supervisor, child_started{options_.name, address(), options_.kind, depth_});
  rebuild();
}

void shell_core::dissolve() noexcept {
  open_ = false;
  condition_ = condition::stopped;
  unbuild();
  while (!stash_.empty())
    question{*stash_.pop_front().letter}.fail(ec::shutting_down, options_.name + " has ended");
  options_.supervisor = supervisor_actor{};
}

bool shell_core::admit(const caf::mailbox_element& letter) {
  const auto* rule = open_.load(std::memory_order_acquire) ? rule_of(letter) : nullptr;
  if (rule == nullptr)
    return true;
  // Only what goes in is counted. What was counted and taken back could be taken from a depth that
  // the actor has set meanwhile, and leave less than nothing for ever.
  if (is_rejected(letter, *rule)) {
    refuse(letter, *rule, cause::rejected);
    return false;
  }
  const auto depth = depth_->fetch_add(1, std::memory_order_relaxed) + 1;
  if (depth_gauge_ != nullptr)
    depth_gauge_->Set(static_cast<double>(depth));
  return true;
}

bool shell_core::is_rejected(const caf::mailbox_element& letter, const message_rule& rule) const {
  const auto& limit = options_.mailbox;
  if (limit.action != when_full::reject || limit.max == 0 || waiting() < limit.max)
    return false;
  const bool heard = letter.mid.is_request() || rule.tell;
  return heard && rule.may_refuse(letter);
}

void shell_core::refuse(const caf::mailbox_element& letter, const message_rule& rule, cause why) {
  if (!refusals_.empty())
    refusals_[static_cast<std::size_t>(why)]->Increment();
  const failure reason = why == cause::stopped
                           ? failure{ec::not_ready, options_.name + " has stopped", {}}
                           : failure{ec::overloaded, "too much waits for " + options_.name, {}};
  question{letter}.fail(reason.code, reason.detail);
  if (rule.tell)
    rule.tell(letter.content(), reason);
}

/// None for what is not a message of ours: answers, exits, orders.
const message_rule* shell_core::rule_of(const caf::mailbox_element& letter) const {
  if (letter.mid.is_response() || letter.content().size() != 1)
    return nullptr;
  const auto* type = letter.content().type(0).second;
  for (const auto& rule : rules_)
    if (rule.type == type)
      return &rule;
  return nullptr;
}

caf::invoke_message_result shell_core::receive(caf::mailbox_element& letter) {
  const auto* rule = rule_of(letter);
  if (rule == nullptr) {
    const auto result = handle(letter, nullptr, 0);
    handle_stashed(letter);
    return result;
  }
  note_depth();
  if (condition_ == condition::stopped)
    refuse(letter, *rule, cause::stopped);
  else if (condition_ == condition::down)
    put_into_stash(letter, *rule);
  else if (is_over_full() && rule->may_refuse(letter))
    refuse(letter, *rule, cause::dropped);
  else
    return handle(letter, rule, 0);
  return caf::invoke_message_result::consumed;
}

/// After an order to restart.
void shell_core::handle_stashed(caf::mailbox_element& order) {
  while (condition_ == condition::up && !stash_.empty()) {
    const auto [next, failures] = stash_.pop_front();
    note_depth();
    handle(*next, rule_of(*next), failures);
    self().current_mailbox_element(&order);
  }
}

void shell_core::note_depth() {
  const auto depth = static_cast<std::int64_t>(self().mailbox().size() + stash_.size());
  depth_->store(depth, std::memory_order_relaxed);
  if (depth_gauge_ != nullptr)
    depth_gauge_->Set(static_cast<double>(depth));
}

void shell_core::put_into_stash(caf::mailbox_element& letter, const message_rule& rule) {
  stash_.push_back(moved_out_of(letter), rule.may_refuse(letter));
  note_depth();
  if (!is_over_full())
    return;
  if (const auto oldest = stash_.pop_refusable()) {
    // Whoever is refused may look at the depth at once.
    note_depth();
    refuse(*oldest, *rule_of(*oldest), cause::dropped);
  }
}

caf::invoke_message_result
shell_core::handle(caf::mailbox_element& letter, const message_rule* rule, unsigned failures) {
  const question asked{letter};
  const bool timed = rule != nullptr && handling_ != nullptr;
  // A message that waited is begun where the last one ended: one look at the clock for each.
  const auto begin = !timed || waited_ ? last_end_ : clock::now();
  waited_ = timed && waiting() > 0;
  auto result = caf::invoke_message_result::consumed;
  handled_ = false;
  try {
    result = dispatch(letter);
  } catch (const std::exception& e) {
    message_failed(letter, rule, asked, failures + 1, e.what());
  } catch (...) {
    message_failed(letter, rule, asked, failures + 1, "unknown exception");
  }
  if (timed) {
    last_end_ = clock::now();
    handling_->Observe(std::chrono::duration<double>(last_end_ - begin).count());
  }
  return result;
}

void shell_core::enter() {
  if (fault_hook != nullptr)
    fault_hook(options_.name, options_.kind, handler_moment::before);
}

void shell_core::leave() {
  handled_ = true;
  if (fault_hook != nullptr)
    fault_hook(options_.name, options_.kind, handler_moment::after);
}

shell_core::question::question(const caf::mailbox_element& letter) : id(letter.mid) {
  if (id.is_request() && !id.is_answered())
    asker = letter.sender;
}

void shell_core::question::fail(ec code, std::string detail) const {
  if (asker)
    asker->enqueue(
      nullptr, id.response_id(), caf::make_message(herald::fail(code, std::move(detail))), nullptr);
}

void shell_core::message_failed(
  caf::mailbox_element& letter, const message_rule* rule, const question& asked, unsigned failures,
  const char* what) {
  inside_failed(what);
  if (rule != nullptr && rule->repeatable && !handled_ && failures < most_attempts) {
    auto next = moved_out_of(letter);
    next->mid = asked.id;
    next->sender = asked.asker;
    stash_.push_front({std::move(next), failures});
    return;
  }
  const failure reason{ec::actor_failed, "internal error while handling this request", {}};
  asked.fail(reason.code, reason.detail);
  if (handled_ || rule == nullptr)
    return;
  if (rule->tell && rule->intact)
    rule->tell(letter.content(), reason);
  else if (!asked.asker && lost_ != nullptr)
    lost_->Increment();
}

void shell_core::inside_failed(const char* what, bool damaged) {
  if (failures_ != nullptr)
    failures_->Increment();
  log::error(options_.name, "handler_failed", {{"what", what}, {"generation", generation_}});
  // The handler of an answer can throw while there is no inside: that is no second failure.
  if (condition_ != condition::up)
    return;
  condition_ = condition::down;
  waited_ = false;
  unbuild();
  if (options_.supervisor)
    caf::anon_send(options_.supervisor, child_failed{options_.name, generation_, what, damaged});
  else
    caf::anon_send<caf::message_priority::high>(
      address(), inside_order{inside_order::kind::restart, generation_});
}

void shell_core::obey(const inside_order& order) {
  if (condition_ != condition::down || order.generation != generation_)
    return;
  if (order.what == inside_order::kind::restart) {
    rebuild();
    if (condition_ == condition::up && options_.supervisor)
      caf::anon_send(options_.supervisor, child_restarted{options_.name});
    return;
  }
  condition_ = condition::stopped;
  while (!stash_.empty()) {
    const auto letter = stash_.pop_front().letter;
    refuse(*letter, *rule_of(*letter), cause::stopped);
  }
}

void shell_core::rebuild() {
  ++generation_;
  condition_ = condition::up;
  try {
    build();
  } catch (const state_damaged& e) {
    inside_failed(e.what(), true);
  } catch (const std::exception& e) {
    inside_failed(e.what());
  } catch (...) {
    inside_failed("unknown exception");
  }
}

restartable_actor shell_core::address() {
  return caf::actor_cast<restartable_actor>(&self());
}

} // namespace herald
