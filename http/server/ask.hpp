#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/after.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/expected.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>

#include "messages/errors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// How long an HTTP thread waits for an actor before it answers 504.
inline constexpr std::chrono::seconds ask_deadline{5};

/// While it lives, `ask` on this thread has one asker for all questions, where it would otherwise
/// make one for each; to end one wakes the thread of CAF's clock. For threads with many questions.
/// Ends before the actor systems that it was used with.
class asker_scope {
public:
  asker_scope() : outer_(std::exchange(innermost(), this)) {}
  ~asker_scope() { innermost() = outer_; }
  asker_scope(const asker_scope&) = delete;
  asker_scope& operator=(const asker_scope&) = delete;

  /// The innermost of this thread; null: there is none.
  [[nodiscard]] static asker_scope* current() { return innermost(); }

  [[nodiscard]] caf::scoped_actor& asker(caf::actor_system& system) {
    if (!asker_ || &asker_->home_system() != &system)
      asker_.emplace(system, true);
    return *asker_;
  }
  /// It still has an answer to come, which is for nobody.
  void forget_asker() { asker_.reset(); }

private:
  static asker_scope*& innermost() {
    static thread_local asker_scope* scope = nullptr;
    return scope;
  }

  asker_scope* const outer_;
  std::optional<caf::scoped_actor> asker_;
};

/// Sends `question` to an actor and waits for its answer, at most `deadline`. The only place where
/// a thread of herald waits for an actor; call it from threads that are not actors.
///
/// The wait is the blocking receive's own, not a time-out of the request: to set that would wake
/// the thread of CAF's clock for each request. It goes by the wall clock; who sets that while a
/// thread waits shortens or lengthens this one wait. An answer that comes too late is gone with the
/// asker.
template <class Answer, class Actor, class Question>
caf::expected<Answer> ask(
  caf::actor_system& system, const Actor& actor, Question&& question,
  std::chrono::milliseconds deadline = ask_deadline) {
  auto* const scope = asker_scope::current();
  std::optional<caf::scoped_actor> brief;
  auto& self = scope != nullptr ? scope->asker(system) : brief.emplace(system, true);
  caf::expected<Answer> answer{fail(ec::internal, "no answer")};
  const auto pending = self->request(actor, caf::infinite, std::forward<Question>(question));
  bool in_time = true;
  const auto failed = [&](caf::error& error) {
    answer = error;
  };
  const auto late = caf::after(deadline) >> [&] {
    answer = caf::make_error(caf::sec::request_timeout);
    in_time = false;
  };
  caf::blocking_actor::accept_one_cond once;
  if constexpr (std::is_void_v<Answer>)
    self->varargs_receive(
      once, pending.id(), [&] { answer = caf::unit; }, failed, late);
  else
    self->varargs_receive(
      once, pending.id(), [&](Answer& value) { answer = std::move(value); }, failed, late);
  if (!in_time && scope != nullptr)
    scope->forget_asker();
  return answer;
}

} // namespace herald
