#pragma once

#include <chrono>
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

/// Sends `question` to an actor and waits for its answer, at most `deadline`. The only place where
/// a thread of herald waits for an actor; call it from threads that are not actors.
///
/// The wait is the blocking receive's own, not a time-out of the request: to set that would wake
/// the thread of CAF's clock for each request, as the end of the asker does anyway. It goes by the
/// wall clock; who sets that while a thread waits shortens or lengthens this one wait.
///
/// A scoped_actor per request on purpose: an answer that comes too late is gone with it.
template <class Answer, class Actor, class Question>
caf::expected<Answer> ask(
  caf::actor_system& system, const Actor& actor, Question&& question,
  std::chrono::milliseconds deadline = ask_deadline) {
  caf::scoped_actor self{system, true};
  caf::expected<Answer> answer{fail(ec::internal, "no answer")};
  const auto pending = self->request(actor, caf::infinite, std::forward<Question>(question));
  const auto failed = [&](caf::error& error) {
    answer = error;
  };
  const auto late = caf::after(deadline) >> [&] {
    answer = caf::make_error(caf::sec::request_timeout);
  };
  caf::blocking_actor::accept_one_cond once;
  if constexpr (std::is_void_v<Answer>)
    self->varargs_receive(
      once, pending.id(), [&] { answer = caf::unit; }, failed, late);
  else
    self->varargs_receive(
      once, pending.id(), [&](Answer& value) { answer = std::move(value); }, failed, late);
  return answer;
}

} // namespace herald
