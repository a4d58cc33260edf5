#include "http/sockets/actor_loop.hpp"

#include <cstddef>

#include <boost/asio/post.hpp>
#include <caf/intrusive_ptr.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include "http/sockets/run_guarded.hpp"

namespace herald {

namespace {

/// Messages that one actor handles before sockets and others have their turn.
constexpr std::size_t messages_at_once = 64;

} // namespace

actor_loop::actor_loop(caf::actor_system& system, bool io_uring)
  : caf::execution_unit(&system),
    sockets_(io_uring),
    work_(sockets_.io().get_executor()),
    thread_([this] { run_guarded(sockets_.io(), "actor-loop"); }) {}

actor_loop::~actor_loop() {
  // Posted, so that all that its actors have left to do is done before.
  boost::asio::post(sockets_.io(), [this] {
    sockets_.stop_watching();
    work_.reset();
  });
  thread_.join();
}

void actor_loop::exec_later(caf::resumable* job) {
  if (job->subtype() == caf::resumable::io_actor)
    boost::asio::post(sockets_.io(), [this, job] { resume(job); });
  else
    system().scheduler().enqueue(job);
}

/// As CAF's own workers do it: the job comes with a reference, which goes unless it has more to do.
void actor_loop::resume(caf::resumable* job) {
  if (job->resume(this, messages_at_once) == caf::resumable::resume_later)
    exec_later(job);
  else
    caf::intrusive_ptr_release(job);
}

} // namespace herald
