#include "tests/support/actor_test.hpp"

#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>

namespace herald::testing {

actor_test::config::config() {
  set("scheduler.policy", caf::atom("testing"));
  set("logger.inline-output", true);
  set("logger.file-verbosity", caf::atom("quiet"));
}

actor_test::actor_test() {
  system_.emplace(config_);
  scheduler_ = dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
  // The clock starts at zero, where CAF takes times for "unset".
  scheduler_->clock().current_time += std::chrono::hours{1};
}

actor_test::~actor_test() {
  // Actors first, or ~actor_system waits for them for ever.
  for (const auto& actor : owned_)
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  drain();
  owned_.clear();
  EXPECT_FALSE(scheduler_->has_job());
  system_.reset();
}

void actor_test::drain() {
  while (scheduler_->try_run_once()) {
  }
}

void actor_test::advance(caf::timespan by) {
  scheduler_->advance_time(by);
  drain();
}

} // namespace herald::testing
