#include "actors/shell.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/actor_test.hpp"

namespace herald {
namespace {

using caf::reacts_to;

/// An inside that notes what it is told and throws on request.
class fragile_observer {
public:
  using interface = observer_actor;

  explicit fragile_observer(std::vector<std::string>& seen) : seen_(seen) {}

  static shell<interface, fragile_observer>::behavior_type
  behavior(shell<interface, fragile_observer>& s) {
    return {
      s.on(&fragile_observer::opened),
      s.on(&fragile_observer::closed),
      s.control(),
    };
  }

  void opened(const connection_opened& fact) {
    if (fact.id.str() == "poison")
      throw std::runtime_error("poisoned");
    seen_.push_back(fact.id.str());
  }

  void closed(const connection_closed&) {}

private:
  std::vector<std::string>& seen_;
};

constexpr auto restart = inside_order::kind::restart;

class Shell : public testing::actor_test {
protected:
  supervised<observer_actor> spawn(supervisor_actor supervisor) {
    return own(spawn_supervised<observer_actor, fragile_observer>(
      system(), {"fragile", std::move(supervisor), &numbers}, [this](auto*) {
        ++built;
        return std::make_unique<fragile_observer>(seen);
      }));
  }

  metrics numbers;
  std::vector<std::string> seen;
  std::vector<child_failed> failures;
  int built = 0;
};

connection_opened opened(const char* id) {
  return {request_id{id}};
}

TEST_F(Shell, LosesOnlyTheMessageThatThrew) {
  auto observer = spawn({});
  inject(observer, opened("a"));
  inject(observer, opened("poison"));
  inject(observer, opened("b"));
  inject(observer, opened("poison"));
  inject(observer, opened("c"));
  drain();
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(built, 3);
}

TEST_F(Shell, AnswersTheMessageThatThrewWithAnError) {
  auto observer = spawn({});
  const auto answer = ask<void>(observer, opened("poison"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(describe(answer.error()).code, ec::actor_failed);
}

TEST_F(Shell, KeepsTheMailboxInOrderUntilTheSupervisorOrdersTheRestart) {
  auto supervisor = mock<supervisor_actor>(
    [](const child_started& fact) { EXPECT_EQ(fact.name, "fragile"); },
    [this](const child_failed& fact) { failures.push_back(fact); }, [](const child_restarted&) {},
    [](const get_actor_status&) { return actor_tree{}; },
    [](const stop_children&) { return stop_report{}; }, [](const stop_overdue&) {});
  auto observer = spawn(supervisor);
  tell(observer, opened("poison"));
  tell(observer, opened("a"));
  tell(observer, opened("b"));
  EXPECT_TRUE(seen.empty());
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].name, "fragile");
  EXPECT_EQ(failures[0].what, "poisoned");

  tell(observer, inside_order{restart, failures[0].generation + 1});
  EXPECT_TRUE(seen.empty()) << "an order for another generation is stale";

  tell(observer, inside_order{restart, failures[0].generation});
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(built, 2);

  tell(observer, inside_order{restart, failures[0].generation});
  EXPECT_EQ(built, 2) << "a second order for the same failure changes nothing";
}

TEST_F(Shell, CountsFailures) {
  auto observer = spawn({});
  tell(observer, opened("poison"));
  EXPECT_NE(
    numbers.render().find("herald_actor_failures_total{actor=\"fragile\"} 1"), std::string::npos);
}

} // namespace
} // namespace herald
