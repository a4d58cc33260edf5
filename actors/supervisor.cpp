#include "actors/supervisor.hpp"

#include <map>
#include <memory>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/log.hpp"
#include "messages/type_ids.hpp"

namespace herald {

namespace {

constexpr const char* component = "supervisor";

struct child {
  child(restartable_actor h, const restart_options& options, prometheus::Counter& counter)
    : handle(std::move(h)),
      policy(options),
      restarts(counter) {}

  restartable_actor handle;
  restart_policy policy;
  prometheus::Counter& restarts;
  actor_status status;
};

struct supervisor_state {
  std::map<std::string, child> children;
};

using supervisor_pointer = caf::stateful_actor<supervisor_state, supervisor_actor::base>*;

} // namespace

supervisor_actor spawn_supervisor(
  caf::actor_system& system, const restart_options& options,
  std::function<void(const std::string&)> escalate, metrics& numbers) {
  auto start = [options, escalate = std::move(escalate),
                &numbers](supervisor_pointer self) -> supervisor_actor::behavior_type {
    return {
      [=, &numbers](const child_started& fact) {
        auto& restarts = numbers.counter(
          "herald_actor_restarts_total", "Restarts ordered by the supervisor.",
          {{"actor", fact.name}});
        auto& made =
          self->state.children.try_emplace(fact.name, fact.child, options, restarts).first->second;
        made.handle = fact.child;
        made.status.name = fact.name;
      },
      [=](const child_failed& fact) {
        const auto found = self->state.children.find(fact.name);
        if (found == self->state.children.end())
          return;
        auto& failed = found->second;
        failed.status.last_error = fact.what;
        const auto decision = failed.policy.failed(self->clock().now());
        if (decision.escalate) {
          if (std::exchange(failed.status.state, actor_state::stopped) == actor_state::stopped)
            return;
          log::error(component, "intensity_exceeded", {{"actor", fact.name}});
          escalate(fact.name);
          return;
        }
        failed.status.state = actor_state::restarting;
        failed.status.restarts = failed.policy.restarts();
        failed.restarts.Increment();
        log::warning(
          component, "restart_ordered",
          {{"actor", fact.name}, {"backoff_ms", decision.backoff.count()}});
        self->delayed_send(failed.handle, decision.backoff, restart_inside{fact.generation});
      },
      [=](const child_restarted& fact) {
        const auto found = self->state.children.find(fact.name);
        if (found != self->state.children.end())
          found->second.status.state = actor_state::running;
      },
      [=](const get_actor_status&) {
        actor_tree tree;
        for (const auto& [_, c] : self->state.children)
          tree.children.push_back(c.status);
        return tree;
      }};
  };
  return system.spawn(start);
}

} // namespace herald
