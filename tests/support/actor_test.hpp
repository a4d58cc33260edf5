#pragma once

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <gtest/gtest.h>

#include "messages/type_ids.hpp"

namespace herald::testing {

/// Runs actors one message at a time, on a clock that stands still until it is told to move.
class actor_test : public ::testing::Test {
protected:
  actor_test();
  ~actor_test() override;

  caf::actor_system& system() { return *system_; }

  /// Registers an actor to be ended with the test. Every spawned actor must be owned.
  template <class Handle>
  Handle own(Handle handle) {
    owned_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    drain();
    return handle;
  }

  /// Spawns a typed actor of interface `Interface` from handlers that spell out every message.
  template <class Interface, class... Handlers>
  Interface mock(Handlers... handlers) {
    auto start = [=](typename Interface::pointer) -> typename Interface::behavior_type {
      return {handlers...};
    };
    return own(Interface{system_->spawn(start)});
  }

  /// Puts a message into a mailbox; nothing runs yet.
  template <class Handle, class Message>
  void inject(const Handle& to, Message message) {
    caf::anon_send(to, std::move(message));
  }

  /// Puts a message into a mailbox and runs everything that follows from it.
  template <class Handle, class Message>
  void tell(const Handle& to, Message message) {
    inject(to, std::move(message));
    drain();
  }

  /// Asks, runs everything that follows, and gives the answer; an error if there is none by then.
  template <class Answer, class Handle, class Message>
  caf::expected<Answer> ask(const Handle& to, Message message) {
    caf::scoped_actor self{*system_, true};
    auto pending = self->request(to, std::chrono::seconds{1}, std::move(message));
    drain();
    caf::expected<Answer> answer{caf::sec::runtime_error};
    if (!self->has_next_message())
      advance(std::chrono::seconds{1});
    const auto on_error = [&](caf::error& e) {
      answer = e;
    };
    if constexpr (std::is_void_v<Answer>)
      pending.receive([&] { answer = caf::unit; }, on_error);
    else
      pending.receive([&](Answer& value) { answer = std::move(value); }, on_error);
    return answer;
  }

  /// Runs one message of one actor; false if none is waiting.
  bool step() { return scheduler_->try_run_once(); }
  /// Runs messages until none is left; never time-outs.
  void drain();
  /// Moves the clock, fires what is due, runs what follows.
  void advance(caf::timespan by);

  caf::scheduler::test_coordinator& scheduler() { return *scheduler_; }

private:
  struct config : caf::actor_system_config {
    config();
  };

  config config_;
  std::optional<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  std::vector<caf::strong_actor_ptr> owned_;
};

} // namespace herald::testing
