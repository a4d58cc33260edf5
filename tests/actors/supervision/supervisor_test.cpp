#include "actors/supervision/supervisor.hpp"

#include <string>
#include <vector>

#include <caf/exit_reason.hpp>

#include "actors/supervision/shell.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/log_capture.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using std::string;
using strings = std::vector<string>;

/// "restart 1"
string text_of(const inside_order& order) {
  return (order.what == inside_order::kind::restart ? "restart " : "stop ")
         + std::to_string(order.generation);
}

class Supervisor : public testing::actor_test {
protected:
  Supervisor() {
    supervisor = own(spawn_supervisor(
      system(), options(), [this](const string& name) { escalated.push_back(name); }, numbers,
      [] { return 0.0; }));
  }

  static supervision_options options() {
    supervision_options result{2, 10s};
    for (auto& [_, child] : result.children) {
      child.min_backoff_ms = 1s;
      child.max_backoff_ms = 8s;
      child.shutdown_ms = 2s;
    }
    result.children["version-source"].restart = restart_type::temporary;
    result.children["backend-caller"].restart = restart_type::transient;
    result.children["backend-caller"].mailbox.max = 9;
    return result;
  }

  /// A child that notes its orders, and its end.
  restartable_actor start(const string& name, const string& kind = {}) {
    auto child = mock<restartable_actor>(
      [this, name](const inside_order& order) { orders.push_back(name + ": " + text_of(order)); });
    child->attach_functor([all = ended_, name] { all->push_back(name); });
    tell(supervisor, child_started{name, child, kind});
    return child;
  }

  /// A child that does not end before `let_go`.
  restartable_actor start_hanging(const string& name) {
    auto spawned =
      system().spawn([](restartable_actor::pointer self) -> restartable_actor::behavior_type {
        self->set_exit_handler([](const caf::exit_msg&) {});
        return {[](const inside_order&) {
        }};
      });
    restartable_actor child = own(std::move(spawned));
    tell(supervisor, child_started{name, child});
    return child;
  }

  void fail(const string& name, std::uint64_t generation = 1) {
    tell(supervisor, child_failed{name, generation, "boom"});
  }

  actor_tree tree() { return *ask<actor_tree>(supervisor, get_actor_status{}); }

  actor_status status(const string& name) {
    for (auto& child : tree().children)
      if (child.name == name)
        return child;
    ADD_FAILURE() << "no child " << name;
    return {};
  }

  strings names() {
    strings result;
    for (const auto& child : tree().children)
      result.push_back(child.name);
    return result;
  }

  metrics numbers;
  strings orders;
  strings escalated;
  supervisor_actor supervisor;
  /// Outlives the children.
  std::shared_ptr<strings> ended_ = std::make_shared<strings>();
  strings& ended = *ended_;
};

TEST_F(Supervisor, OrdersTheRestartAfterTheBackoff) {
  const testing::log_capture log;
  start("version-store");
  EXPECT_EQ(status("version-store").state, actor_state::running);
  fail("version-store");
  EXPECT_EQ(status("version-store").state, actor_state::restarting);
  EXPECT_EQ(status("version-store").last_error, "boom");
  ASSERT_EQ(log.lines("restart_ordered").size(), 1u);
  EXPECT_EQ(
    log.lines("restart_ordered")[0].find(
      "warning supervisor restart_ordered actor=version-store backoff_ms=1000"),
    0u);
  EXPECT_TRUE(orders.empty());
  advance(1s);
  EXPECT_EQ(orders, (strings{"version-store: restart 1"}));
  tell(supervisor, child_restarted{"version-store"});
  EXPECT_EQ(status("version-store").state, actor_state::running);
  EXPECT_EQ(status("version-store").restarts, 1u);
  EXPECT_NE(
    numbers.render().find("herald_actor_restarts_total{actor=\"version-store\"} 1"), string::npos);
}

TEST_F(Supervisor, RestartsTheFailedChildAlone) {
  start("version-store");
  start("task-runner");
  fail("task-runner");
  advance(1s);
  EXPECT_EQ(orders, (strings{"task-runner: restart 1"}));
}

TEST_F(Supervisor, EscalatesOnceWhenItsChildrenFailTooOften) {
  const testing::log_capture log;
  start("version-store");
  start("task-runner");
  fail("version-store", 1);
  fail("task-runner", 1);
  EXPECT_TRUE(escalated.empty());
  fail("version-store", 2);
  fail("version-store", 3);
  EXPECT_EQ(escalated, (strings{"version-store"}));
  EXPECT_EQ(
    log.lines("intensity_exceeded"),
    (strings{"error supervisor intensity_exceeded actor=version-store"}));
  EXPECT_EQ(status("version-store").state, actor_state::stopped);
  EXPECT_TRUE(is_missed(status("version-store")));
  advance(10s);
  EXPECT_EQ(
    orders,
    (strings{"version-store: stop 2", "version-store: restart 1", "task-runner: restart 1"}))
    << "the one that is given up stays stopped, the others go on";
}

TEST_F(Supervisor, DoesNotCallAStoppedChildRunning) {
  start("version-store");
  for (std::uint64_t generation = 1; generation <= 3; ++generation)
    fail("version-store", generation);
  tell(supervisor, child_restarted{"version-store"});
  EXPECT_EQ(status("version-store").state, actor_state::stopped);
}

TEST_F(Supervisor, ForgivesWhatIsLongerAgoThanThePeriod) {
  start("version-store");
  for (std::uint64_t generation = 1; generation <= 6; ++generation) {
    fail("version-store", generation);
    advance(6s);
  }
  EXPECT_TRUE(escalated.empty());
}

TEST_F(Supervisor, LeavesATemporaryChildStopped) {
  const testing::log_capture log;
  start("version-source");
  for (std::uint64_t generation = 1; generation <= 5; ++generation)
    fail("version-source", generation);
  EXPECT_EQ(orders, (strings{"version-source: stop 1"}));
  EXPECT_EQ(
    log.lines("child_left_stopped"),
    (strings{"error supervisor child_left_stopped actor=version-source"}));
  EXPECT_EQ(status("version-source").state, actor_state::stopped);
  EXPECT_FALSE(is_missed(status("version-source"))) << "herald goes on without it";
  EXPECT_TRUE(escalated.empty());
}

TEST_F(Supervisor, SaysWhyAStoppedChildHasFailedAlsoOnceItIsGone) {
  const auto child = start("version-source");
  fail("version-source");
  caf::anon_send_exit(child, caf::exit_reason::kill);
  drain();
  EXPECT_EQ(status("version-source").state, actor_state::stopped);
  EXPECT_EQ(status("version-source").last_error, "boom");
}

TEST_F(Supervisor, EscalatesAtOnceWhereStateIsDamaged) {
  const testing::log_capture log;
  start("version-store");
  tell(supervisor, child_failed{"version-store", 1, "out of step", true});
  EXPECT_EQ(escalated, (strings{"version-store"}));
  EXPECT_EQ(orders, (strings{"version-store: stop 1"}));
  EXPECT_EQ(
    log.lines("state_damaged"), (strings{"error supervisor state_damaged actor=version-store"}));
}

TEST_F(Supervisor, IgnoresAChildThatItDoesNotKnow) {
  fail("stranger");
  EXPECT_TRUE(escalated.empty());
  EXPECT_TRUE(names().empty());
}

TEST_F(Supervisor, EscalatesWhenAChildDies) {
  const testing::log_capture log;
  caf::anon_send_exit(start("version-store"), caf::exit_reason::kill);
  drain();
  EXPECT_EQ(escalated, (strings{"version-store"}));
  EXPECT_EQ(status("version-store").last_error, "its actor died");
  EXPECT_EQ(log.lines("child_died"), (strings{"error supervisor child_died actor=version-store"}));
}

TEST_F(Supervisor, EscalatesWhenAPermanentChildEndsByItself) {
  caf::anon_send_exit(start("version-store"), caf::exit_reason::user_shutdown);
  drain();
  EXPECT_EQ(escalated, (strings{"version-store"}));
}

TEST_F(Supervisor, LetsATransientChildEndInOrderButNotDie) {
  const testing::log_capture log;
  caf::anon_send_exit(start("backend-caller"), caf::exit_reason::user_shutdown);
  drain();
  EXPECT_TRUE(escalated.empty());
  EXPECT_EQ(status("backend-caller").state, actor_state::stopped);
  EXPECT_EQ(
    log.lines("child_ended"), (strings{"warning supervisor child_ended actor=backend-caller"}));
}

TEST_F(Supervisor, EscalatesWhenATransientChildDies) {
  caf::anon_send_exit(start("backend-caller"), caf::exit_reason::kill);
  drain();
  EXPECT_EQ(escalated, (strings{"backend-caller"}));
}

TEST_F(Supervisor, LetsATemporaryChildDie) {
  caf::anon_send_exit(start("version-source"), caf::exit_reason::kill);
  drain();
  EXPECT_TRUE(escalated.empty());
}

TEST_F(Supervisor, EscalatesWhenItDiesItself) {
  // Nothing that is sent to it makes it throw; what CAF does then is to end it with an error.
  caf::anon_send(
    caf::actor_cast<caf::actor>(supervisor), caf::exit_msg{{}, caf::sec::runtime_error});
  drain();
  EXPECT_EQ(escalated, (strings{"supervisor"}));
}

TEST_F(Supervisor, ShowsItsChildrenInTheOrderInWhichTheyDependOnEachOther) {
  for (const auto* name : {"task-runner", "gateway-front", "connection-registry", "version-store"})
    start(name);
  start("task-worker-1", "task-worker");
  start("task-worker-0", "task-worker");
  EXPECT_EQ(
    names(), (strings{
               "connection-registry", "version-store", "task-runner", "task-worker-1",
               "task-worker-0", "gateway-front"}));
}

TEST_F(Supervisor, ShowsHowAChildIsSupervised) {
  start("backend-caller");
  start("gateway-sender-2", "gateway-sender");
  auto depth = std::make_shared<mailbox_depth>(7);
  tell(supervisor, child_started{"gateway-sender-2", {}, "gateway-sender", depth});
  EXPECT_EQ(status("backend-caller").restart, restart_type::transient);
  EXPECT_EQ(status("backend-caller").max_mailbox, 9u);
  EXPECT_EQ(status("gateway-sender-2").kind, "gateway-sender");
  EXPECT_EQ(status("gateway-sender-2").mailbox_depth, 7u);
  EXPECT_EQ(tree().intensity, 2u);
  EXPECT_EQ(tree().period, 10s);
}

TEST_F(Supervisor, EndsItsChildrenInTheOppositeOrder) {
  for (const auto* name : {"version-store", "connection-registry", "task-runner"})
    start(name);
  start("task-worker-0", "task-worker");
  start("task-worker-1", "task-worker");
  const auto report = ask<stop_report>(supervisor, stop_children{});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->left_behind.empty());
  EXPECT_EQ(
    ended,
    (strings{
      "task-worker-0", "task-worker-1", "task-runner", "version-store", "connection-registry"}));
  EXPECT_TRUE(escalated.empty()) << "this is how it should be";
}

TEST_F(Supervisor, WaitsForAChildBeforeItEndsWhatThatDependsOn) {
  start("connection-registry");
  const auto hanging = start_hanging("version-store");
  caf::scoped_actor self{system()};
  auto pending = self->request(supervisor, caf::infinite, stop_children{});
  drain();
  EXPECT_TRUE(ended.empty());
  caf::anon_send_exit(hanging, caf::exit_reason::kill);
  drain();
  EXPECT_EQ(ended, (strings{"connection-registry"}));
  pending.receive(
    [](const stop_report& report) { EXPECT_TRUE(report.left_behind.empty()); },
    [](const caf::error&) { FAIL(); });
}

TEST_F(Supervisor, LeavesAChildBehindThatDoesNotEndInTime) {
  const testing::log_capture log;
  start("connection-registry");
  start_hanging("version-store");
  caf::scoped_actor self{system()};
  auto pending = self->request(supervisor, caf::infinite, stop_children{});
  drain();
  advance(1999ms);
  EXPECT_TRUE(ended.empty());
  advance(1ms);
  EXPECT_EQ(ended, (strings{"connection-registry"}));
  pending.receive(
    [](const stop_report& report) { EXPECT_EQ(report.left_behind, (strings{"version-store"})); },
    [](const caf::error&) { FAIL(); });
  EXPECT_EQ(
    log.lines("child_left_behind"),
    (strings{"error supervisor child_left_behind actor=version-store"}));
  EXPECT_NE(
    numbers.render().find("herald_actor_left_behind_total{actor=\"version-store\"} 1"),
    string::npos);
}

TEST_F(Supervisor, HasNothingToWaitForWithoutChildren) {
  EXPECT_TRUE(ask<stop_report>(supervisor, stop_children{}));
  EXPECT_TRUE(ask<stop_report>(supervisor, stop_children{})) << "nor the second time";
}

TEST_F(Supervisor, EndsAChildThatComesTooLate) {
  EXPECT_TRUE(ask<stop_report>(supervisor, stop_children{}));
  start("version-store");
  EXPECT_EQ(ended, (strings{"version-store"}));
}

/// An observer that throws whenever a stream opens.
class fragile {
public:
  using interface = observer_actor;

  static shell<interface, fragile>::behavior_type behavior(shell<interface, fragile>& s) {
    return {s.on(&fragile::opened), s.on(&fragile::closed), s.control()};
  }

  void opened(const connections_opened&) { throw std::runtime_error("boom"); }
  void closed(const connection_closed&) {}
};

TEST_F(Supervisor, RestartsAShellAndGivesItUpInTheEnd) {
  auto child = own(spawn_supervised<observer_actor, fragile>(
    system(), {"version-store", supervisor, &numbers},
    [](auto*) { return std::make_unique<fragile>(); }));
  const connections_opened poison{{{request_id{"a"}}}};
  for (int i = 0; i < 2; ++i) {
    tell(child, poison);
    advance(2s);
    EXPECT_EQ(status("version-store").state, actor_state::running);
  }
  tell(child, poison);
  EXPECT_EQ(escalated, (strings{"version-store"}));
  const auto answer = ask<void>(child, connection_closed{request_id{"a"}, {}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(describe(answer.error()).code, ec::not_ready);
}

} // namespace
} // namespace herald
