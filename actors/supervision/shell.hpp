#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/supervision/shell_core.hpp"
#include "actors/telemetry/log.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// An actor interface as a supervised actor speaks it: with the orders about its inside.
template <class Interface>
using supervised = typename Interface::template extend<caf::reacts_to<inside_order>>;

/// The actor that an inside lives in, for promises, requests and delayed messages.
template <class Interface>
using self_pointer = typename supervised<Interface>::pointer;

/// How a message is refused.
template <class Message>
struct refusal {
  /// Whether this very one may be; none: each.
  bool (*applies)(const Message&) = nullptr;
  /// Tells whoever waits for what comes of it, other than its sender, that nothing does. Must be
  /// safe from any thread.
  void (*tell)(const Message&, const failure&) = nullptr;
};

/// A supervised actor: mailbox and address, around an inside that is rebuilt when it throws.
///
/// In CAF 0.17 a handler that throws ends its actor, and its mailbox is lost. Here it costs the
/// message that threw and the inside; all others are kept, and are handled in their order by the
/// next inside. So do the handlers of answers (`request(..).then(..)`), which also run without one:
/// what they use must outlive it.
///
/// A message that threw is answered with `ec::actor_failed`. What has become of it by then is a
/// matter of its handler: state that outlives the inside must give the strong guarantee, so that
/// it never is half of something; but what a handler had said to others before it threw is said.
/// An error therefore means "perhaps", as a time-out does, and an answer means "done".
///
/// Three kinds of messages:
/// - `on`: as above.
/// - `repeatable`: facts, whose loss would leave something wrong for ever (a worker never idle
///   again). One that threw is handled again by the next inside, up to five times in all; so its
///   handler must bear to be run again after any part of it.
/// - `refusable`: commands and queries from outside. While too many messages wait they are refused
///   with `ec::overloaded`: at the door (`when_full::reject`, where somebody hears of it), or once
///   they have become the oldest (`when_full::drop_oldest`).
///
/// Past the supervisor's patience the actor stays as it is, stopped: without an inside, answering
/// whoever asks with `ec::not_ready`.
///
/// `Inside` is a plain class: one method per message (`R method(const M&)` or `R method(M&)`, where
/// R is void, the answer, or `result<answer>`), and `static behavior_type behavior(shell<Interface,
/// Inside>&)` that lists them. State that must outlive a restart lives outside of it, in what
/// `build` hands over; the constructor checks it, and throws if it is damaged.
template <class Interface, class Inside>
class shell final : public supervised<Interface>::base, private shell_core {
public:
  using base = typename supervised<Interface>::base;
  using self_type = self_pointer<Interface>;
  using behavior_type = typename supervised<Interface>::behavior_type;
  using builder = std::function<std::unique_ptr<Inside>(self_type)>;

  shell(caf::actor_config& config, shell_options options, builder build)
    : base(config),
      shell_core(std::move(options)),
      build_(std::move(build)) {}

  /// Makes a handler of a method of the inside.
  template <class R, class Argument>
  auto on(R (Inside::*method)(Argument)) {
    return handler(method, {});
  }

  /// The same for a message that may be refused.
  template <class R, class Argument>
  auto refusable(R (Inside::*method)(Argument), refusal<std::decay_t<Argument>> how = {}) {
    using message = std::decay_t<Argument>;
    message_rule rule;
    rule.refusable = true;
    if (how.applies != nullptr)
      rule.applies = [=](const auto& content) {
        return how.applies(content.template get_as<message>(0));
      };
    if (how.tell != nullptr)
      rule.tell = [=](const auto& content, const failure& why) {
        how.tell(content.template get_as<message>(0), why);
      };
    return handler(method, std::move(rule));
  }

  /// The same for a message that is handled again where its handler threw.
  template <class R, class Message>
  auto repeatable(R (Inside::*method)(const Message&)) {
    message_rule rule;
    rule.repeatable = true;
    return handler(method, std::move(rule));
  }

  /// The handlers that every supervised actor has.
  auto control() {
    return [this](const inside_order& order) {
      obey(order);
    };
  }

  [[nodiscard]] const char* name() const override { return shell_core::name().c_str(); }

  using base::enqueue;

  void enqueue(caf::mailbox_element_ptr letter, caf::execution_unit* host) override {
    if (admit(*letter))
      base::enqueue(std::move(letter), unit() != nullptr ? unit() : host);
  }

  void launch(caf::execution_unit* host, bool lazy, bool hide) override {
    base::launch(unit() != nullptr ? unit() : host, lazy, hide);
  }

  caf::resumable::subtype_t subtype() const override {
    return unit() != nullptr ? caf::resumable::io_actor : base::subtype();
  }

  caf::invoke_message_result consume(caf::mailbox_element& letter) override {
    return receive(letter);
  }

  void on_exit() override {
    dissolve();
    build_ = nullptr;
  }

protected:
  behavior_type make_behavior() override {
    auto handlers = Inside::behavior(*this);
    start();
    return handlers;
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

  template <class R, class Argument>
  auto handler(R (Inside::*method)(Argument), message_rule rule) {
    using message = std::decay_t<Argument>;
    constexpr bool changes_it = std::is_same_v<Argument, message&>;
    using parameter = std::conditional_t<changes_it, message&, const message&>;
    rule.type = &typeid(message);
    rule.intact = !changes_it;
    add(std::move(rule));
    return [this, method](parameter m) -> typename answer_of<R>::type {
      enter();
      if constexpr (std::is_void_v<R>) {
        (inside_.get()->*method)(m);
        leave();
        return caf::unit;
      } else {
        auto answer = (inside_.get()->*method)(m);
        leave();
        return answer;
      }
    };
  }

  caf::scheduled_actor& self() override { return *this; }
  void build() override { inside_ = build_(this); }
  void unbuild() noexcept override { inside_.reset(); }
  caf::invoke_message_result dispatch(caf::mailbox_element& letter) override {
    return base::consume(letter);
  }

  builder build_;
  std::unique_ptr<Inside> inside_;
};

/// Spawns a supervised actor. `Options` as caf::actor_system::spawn takes them, e.g. caf::detached
/// for an inside that blocks.
template <class Interface, class Inside, caf::spawn_options Options = caf::no_spawn_options>
supervised<Interface> spawn_supervised(
  caf::actor_system& system, shell_options options,
  typename shell<Interface, Inside>::builder build) {
  const auto supervisor = options.supervisor;
  child_started fact{options.name, {}, options.kind};
  supervised<Interface> spawned =
    system.spawn<shell<Interface, Inside>, Options>(std::move(options), std::move(build));
  // The shell says so too, or it might have failed before. From here, it is known before anything
  // that the caller says next, such as that all is to end.
  fact.child = caf::actor_cast<restartable_actor>(spawned);
  if (supervisor)
    caf::anon_send(supervisor, std::move(fact));
  return spawned;
}

} // namespace herald
