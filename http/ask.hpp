#pragma once

#include <chrono>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <caf/scoped_actor.hpp>

#include "messages/errors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// How long an HTTP thread waits for an actor before it answers 504.
inline constexpr std::chrono::seconds ask_deadline{5};

/// Sends `question` to an actor and waits for its answer, at most `deadline`. The only place where
/// a thread of herald waits for an actor; call it from threads that are not actors.
///
/// A scoped_actor per request on purpose: CAF 0.17 never cancels the timer of an answered request,
/// so a long-lived asker would be flooded by its own stale time-outs.
template <class Answer, class Actor, class Question>
caf::expected<Answer> ask(
  caf::actor_system& system, const Actor& actor, Question&& question,
  std::chrono::milliseconds deadline = ask_deadline) {
  caf::scoped_actor self{system, true};
  caf::expected<Answer> answer{fail(ec::internal, "no answer")};
  auto pending = self->request(actor, deadline, std::forward<Question>(question));
  if constexpr (std::is_void_v<Answer>)
    pending.receive([&] { answer = caf::unit; }, [&](caf::error& error) { answer = error; });
  else
    pending.receive(
      [&](Answer& value) { answer = std::move(value); },
      [&](caf::error& error) { answer = error; });
  return answer;
}

} // namespace herald
