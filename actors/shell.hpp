#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/skip.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/log.hpp"
#include "actors/metrics.hpp"
#include "messages/actors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// An actor interface as a supervised actor speaks it: with the order to rebuild its inside.
template <class Interface>
using supervised = typename Interface::template extend<caf::reacts_to<restart_inside>>;

/// What an inside keeps of the actor that it lives in: to make promises, requests, delayed
/// messages.
template <class Interface>
using self_pointer = typename supervised<Interface>::pointer;

struct shell_options {
  /// In logs, metrics and the actor tree, e.g. "connection-registry".
  std::string name;
  /// Decides about restarts. Without one the inside is rebuilt at once.
  supervisor_actor supervisor;
  /// Where mailbox depth and failures are counted; may be null.
  metrics* numbers = nullptr;
};

/// A supervised actor: mailbox and address, around an inside that is rebuilt when it throws.
///
/// In CAF 0.17 a handler that throws ends its actor, and its mailbox is lost. Here it costs the
/// message that threw (answered with `ec::actor_failed`) and the inside. Messages that come
/// before the restart stay in the mailbox, in their order (CAF's `skip`), and are handled after it.
///
/// `Inside` is a plain class: one method per message (`R method(const M&)` or `R method(M&)`, where
/// R is void, the answer, or `result<answer>`), and `static behavior_type behavior(shell<Interface,
/// Inside>&)` that lists them with `on`. State that must outlive a restart lives outside of it, in
/// what `build` hands over.
template <class Interface, class Inside>
class shell {
public:
  using self_type = self_pointer<Interface>;
  using behavior_type = typename supervised<Interface>::behavior_type;
  using builder = std::function<std::unique_ptr<Inside>(self_type)>;

  shell(self_type self, shell_options options, builder build)
    : self_(self),
      options_(std::move(options)),
      build_(std::move(build)) {
    if (auto* numbers = options_.numbers) {
      const metrics::labels actor = {{"actor", options_.name}};
      depth_ = &numbers->gauge("herald_actor_mailbox_depth", "Messages waiting.", actor);
      failures_ = &numbers->counter(
        "herald_actor_failures_total", "Handlers that threw an exception.", actor);
    }
    if (options_.supervisor)
      caf::anon_send(options_.supervisor, child_started{options_.name, address()});
    rebuild();
  }

  /// Makes a handler of a method of the inside.
  template <class R, class Argument>
  auto on(R (Inside::*method)(Argument)) {
    using message = std::decay_t<Argument>;
    using parameter =
      std::conditional_t<std::is_same_v<Argument, message&>, message&, const message&>;
    return [this, method](parameter m) -> answer<R> {
      if (!inside_)
        return caf::skip;
      if (depth_ != nullptr)
        depth_->Set(static_cast<double>(self_->mailbox().size()));
      try {
        if constexpr (std::is_void_v<R>) {
          (inside_.get()->*method)(m);
          return caf::unit;
        } else {
          return (inside_.get()->*method)(m);
        }
      } catch (const std::exception& e) {
        failed(e.what());
      } catch (...) {
        failed("unknown exception");
      }
      return fail(ec::actor_failed, "internal error while handling this request");
    };
  }

  /// The handlers that every supervised actor has.
  auto control() {
    return [this](const restart_inside& order) {
      if (inside_ || order.generation != generation_)
        return;
      rebuild();
      if (inside_ && options_.supervisor)
        caf::anon_send(options_.supervisor, child_restarted{options_.name});
    };
  }

private:
  template <class R>
  struct answer_of {
    using type = result<R>;
  };
  template <class... Rs>
  struct answer_of<result<Rs...>> {
    using type = result<Rs...>;
  };
  template <class R>
  using answer = typename answer_of<R>::type;

  restartable_actor address() { return caf::actor_cast<restartable_actor>(self_); }

  void rebuild() {
    ++generation_;
    try {
      inside_ = build_(self_);
    } catch (const std::exception& e) {
      failed(e.what());
    }
  }

  void failed(const char* what) {
    inside_.reset();
    if (failures_ != nullptr)
      failures_->Increment();
    log::error(options_.name, "handler_failed", {{"what", what}, {"generation", generation_}});
    if (options_.supervisor)
      caf::anon_send(options_.supervisor, child_failed{options_.name, generation_, what});
    else
      caf::anon_send(address(), restart_inside{generation_});
  }

  self_type self_;
  shell_options options_;
  builder build_;
  std::unique_ptr<Inside> inside_;
  std::uint64_t generation_ = 0;
  prometheus::Gauge* depth_ = nullptr;
  prometheus::Counter* failures_ = nullptr;
};

namespace detail {

template <class Interface, class Inside>
struct shell_holder {
  std::optional<shell<Interface, Inside>> held;
};

} // namespace detail

/// Spawns a supervised actor. `Options` as caf::actor_system::spawn takes them, e.g. caf::detached
/// for an inside that blocks.
template <class Interface, class Inside, caf::spawn_options Options = caf::no_spawn_options>
supervised<Interface> spawn_supervised(
  caf::actor_system& system, shell_options options,
  typename shell<Interface, Inside>::builder build) {
  using holder = detail::shell_holder<Interface, Inside>;
  using actor_type = caf::stateful_actor<holder, typename supervised<Interface>::base>;
  const auto start =
    [](actor_type* self, shell_options opts, typename shell<Interface, Inside>::builder make) ->
    typename supervised<Interface>::behavior_type {
      self->state.held.emplace(self, std::move(opts), std::move(make));
      return Inside::behavior(*self->state.held);
    };
  return system.spawn<Options>(start, std::move(options), std::move(build));
}

} // namespace herald
