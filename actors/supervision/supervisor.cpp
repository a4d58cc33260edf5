#include "actors/supervision/supervisor.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/supervision/restart_policy.hpp"
#include "actors/telemetry/log.hpp"
#include "messages/type_ids.hpp"

namespace herald {

namespace {

constexpr const char* component = "supervisor";

struct child {
  restartable_actor handle;
  actor_status status;
  std::shared_ptr<const mailbox_depth> depth;
  prometheus::Counter* restarts = nullptr;
  prometheus::Counter* left_behind = nullptr;
  std::size_t rank = 0;
  bool ended = false;
};

struct surroundings {
  supervision_options options;
  std::function<void(const std::string&)> escalate;
  metrics& numbers;
  random_source random;
};

class supervisor final : public supervisor_actor::base {
public:
  supervisor(caf::actor_config& config, std::shared_ptr<surroundings> around)
    : supervisor_actor::base(config),
      around_(std::move(around)),
      policy_(around_->options.intensity, around_->options.period_ms, around_->random) {
    set_down_handler([this](caf::down_msg& fact) { on_down(fact); });
  }

  void on_exit() override { children_.clear(); }

  [[nodiscard]] const char* name() const override { return component; }

protected:
  supervisor_actor::behavior_type make_behavior() override {
    return {
      [this](child_started& fact) { on_started(fact); },
      [this](const child_failed& fact) { on_failed(fact); },
      [this](const child_restarted& fact) { on_restarted(fact); },
      [this](const get_actor_status&) { return tree(); },
      [this](const stop_children&) { return on_stop(); },
      [this](const stop_overdue& fact) { on_overdue(fact); },
    };
  }

private:
  using child_list = std::vector<child>;

  /// The end of all children, step by step; a step is a kind of child.
  struct stop {
    std::size_t step = 0;
    std::size_t rank = 0;
    bool over = false;
    stop_report report;
    std::vector<caf::typed_response_promise<stop_report>> waiting;
  };

  child* find(const std::string& name) {
    const auto found = std::find_if(
      children_.begin(), children_.end(), [&](const child& c) { return c.status.name == name; });
    return found == children_.end() ? nullptr : &*found;
  }

  const child_options& options_of(const child& c) const {
    return around_->options.of(c.status.kind);
  }

  void on_started(child_started& fact);
  child& add(const child_started& fact);
  void on_failed(const child_failed& fact);
  void on_restarted(const child_restarted& fact);
  void on_down(const caf::down_msg& fact);
  void give_up(child& failed, const char* event);
  [[nodiscard]] actor_tree tree() const;

  caf::result<stop_report> on_stop();
  void on_overdue(const stop_overdue& fact);
  void next_step();
  void leave_behind(const child& late);
  void answer();

  std::shared_ptr<surroundings> around_;
  restart_policy policy_;
  /// In the order of start.
  child_list children_;
  stop stop_;
};

void supervisor::on_started(child_started& fact) {
  auto* known = find(fact.name);
  if (known == nullptr)
    known = &add(fact);
  if (fact.depth)
    known->depth = std::move(fact.depth);
}

child& supervisor::add(const child_started& fact) {
  const auto& kind = fact.kind.empty() ? fact.name : fact.kind;
  const auto& options = around_->options.of(kind);
  child made;
  made.handle = fact.child;
  made.rank = start_order(kind);
  made.status.name = fact.name;
  made.status.kind = kind;
  made.status.restart = options.restart;
  made.status.max_mailbox = options.mailbox.max;
  made.restarts = &around_->numbers.counter(
    "herald_actor_restarts_total", "Restarts ordered by the supervisor.", {{"actor", fact.name}});
  // There from the start, as the end is too late for anybody to see that it has risen.
  made.left_behind = &around_->numbers.counter(
    "herald_actor_left_behind_total", "Actors that did not end in time.", {{"actor", fact.name}});
  monitor(made.handle);
  // Too late to be one of those that are waited for.
  if (stop_.step > 0)
    send_exit(made.handle, caf::exit_reason::user_shutdown);
  const auto place = std::find_if(
    children_.begin(), children_.end(), [&](const child& c) { return c.rank > made.rank; });
  return *children_.insert(place, std::move(made));
}

void supervisor::on_failed(const child_failed& fact) {
  auto* failed = find(fact.name);
  if (failed == nullptr || failed->status.state == actor_state::stopped)
    return;
  auto& status = failed->status;
  status.last_error = fact.what;
  const auto decision = policy_.failed(fact.name, options_of(*failed), clock().now(), fact.damaged);
  if (decision.what == restart_policy::verdict::restart) {
    status.state = actor_state::restarting;
    ++status.restarts;
    failed->restarts->Increment();
    const auto backoff = std::chrono::duration<double, std::milli>(decision.backoff).count();
    log::warning(component, "restart_ordered", {{"actor", fact.name}, {"backoff_ms", backoff}});
    delayed_send<caf::message_priority::high>(
      failed->handle, decision.backoff, inside_order{inside_order::kind::restart, fact.generation});
    return;
  }
  send<caf::message_priority::high>(
    failed->handle, inside_order{inside_order::kind::stop, fact.generation});
  if (decision.what == restart_policy::verdict::escalate) {
    give_up(*failed, fact.damaged ? "state_damaged" : "intensity_exceeded");
  } else {
    status.state = actor_state::stopped;
    log::error(component, "child_left_stopped", {{"actor", fact.name}});
  }
}

void supervisor::on_restarted(const child_restarted& fact) {
  auto* restarted = find(fact.name);
  if (restarted != nullptr && restarted->status.state == actor_state::restarting)
    restarted->status.state = actor_state::running;
}

void supervisor::on_down(const caf::down_msg& fact) {
  const auto down = std::find_if(children_.begin(), children_.end(), [&](const child& c) {
    return c.handle.address() == fact.source;
  });
  if (down == children_.end() || std::exchange(down->ended, true))
    return;
  auto& status = down->status;
  if (stop_.step > 0) {
    status.state = actor_state::stopped;
    const bool step_over = std::none_of(children_.begin(), children_.end(), [&](const child& c) {
      return c.rank == stop_.rank && !c.ended;
    });
    if (step_over)
      next_step();
    return;
  }
  const bool in_order = !fact.reason || fact.reason == caf::exit_reason::user_shutdown;
  if (status.state != actor_state::stopped)
    status.last_error = in_order ? "ended by itself" : "its actor died";
  const bool may_be_gone = status.restart == restart_type::temporary
                           || (status.restart == restart_type::transient && in_order);
  if (may_be_gone) {
    status.state = actor_state::stopped;
    log::warning(component, "child_ended", {{"actor", status.name}});
  } else {
    give_up(*down, "child_died");
  }
}

void supervisor::give_up(child& failed, const char* event) {
  if (std::exchange(failed.status.state, actor_state::stopped) == actor_state::stopped)
    return;
  log::error(component, event, {{"actor", failed.status.name}});
  around_->escalate(failed.status.name);
}

actor_tree supervisor::tree() const {
  actor_tree result;
  result.intensity = around_->options.intensity;
  result.period = around_->options.period_ms;
  for (const auto& c : children_) {
    auto& shown = result.children.emplace_back(c.status);
    if (c.depth)
      shown.mailbox_depth = static_cast<std::size_t>(std::max<std::int64_t>(0, c.depth->load()));
  }
  return result;
}

caf::result<stop_report> supervisor::on_stop() {
  stop_.waiting.push_back(make_response_promise<stop_report>());
  const auto answered = stop_.waiting.back();
  if (stop_.step == 0) {
    stop_.rank = children_.empty() ? 0 : children_.back().rank + 1;
    next_step();
  } else if (stop_.over) {
    answer();
  }
  return answered;
}

/// Ends the children of the next kind that has any which have not ended.
void supervisor::next_step() {
  ++stop_.step;
  child_list::iterator last = children_.end();
  for (auto c = children_.begin(); c != children_.end() && c->rank < stop_.rank; ++c)
    if (!c->ended)
      last = c;
  if (last == children_.end()) {
    stop_.over = true;
    answer();
    return;
  }
  stop_.rank = last->rank;
  for (auto& c : children_)
    if (c.rank == stop_.rank && !c.ended)
      send_exit(c.handle, caf::exit_reason::user_shutdown);
  delayed_send(this, options_of(*last).shutdown_ms, stop_overdue{stop_.step});
}

void supervisor::on_overdue(const stop_overdue& fact) {
  if (stop_.over || fact.step != stop_.step)
    return;
  for (auto& c : children_)
    if (c.rank == stop_.rank && !std::exchange(c.ended, true))
      leave_behind(c);
  next_step();
}

void supervisor::leave_behind(const child& late) {
  log::error(component, "child_left_behind", {{"actor", late.status.name}});
  late.left_behind->Increment();
  stop_.report.left_behind.push_back(late.status.name);
}

void supervisor::answer() {
  for (auto& promise : std::exchange(stop_.waiting, {}))
    promise.deliver(stop_.report);
}

} // namespace

supervisor_actor spawn_supervisor(
  caf::actor_system& system, supervision_options options,
  std::function<void(const std::string&)> escalate, metrics& numbers, random_source random) {
  supervisor_actor spawned = system.spawn<supervisor>(std::make_shared<surroundings>(
    surroundings{std::move(options), escalate, numbers, std::move(random)}));
  // Nobody restarts anything any more if it dies. An exit that was sent to it is no death.
  spawned->attach_functor([escalate = std::move(escalate)](const caf::error& reason) {
    if (reason && reason != caf::exit_reason::user_shutdown && reason != caf::exit_reason::kill)
      escalate(component);
  });
  return spawned;
}

} // namespace herald
