#include "actors/supervisor.hpp"

#include <string>
#include <vector>

#include "tests/support/actor_test.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

class Supervisor : public testing::actor_test {
protected:
  Supervisor() {
    supervisor = own(spawn_supervisor(
      system(), options(), [this](const std::string& name) { escalated.push_back(name); }, numbers,
      [] { return 0.0; }));
    child = mock<restartable_actor>(
      [this](const inside_order& order) { orders.push_back(order.generation); });
    tell(supervisor, child_started{"store", child});
  }

  static supervision_options options() {
    supervision_options result{2, 10s};
    result.children["store"].min_backoff = 1s;
    result.children["store"].max_backoff = 8s;
    result.children["store"].random_factor = 0;
    return result;
  }

  actor_status status() { return ask<actor_tree>(supervisor, get_actor_status{})->children.at(0); }

  metrics numbers;
  supervisor_actor supervisor;
  restartable_actor child;
  std::vector<std::uint64_t> orders;
  std::vector<std::string> escalated;
};

TEST_F(Supervisor, OrdersTheRestartAfterTheBackoff) {
  EXPECT_EQ(status().state, actor_state::running);
  tell(supervisor, child_failed{"store", 1, "boom"});
  EXPECT_EQ(status().state, actor_state::restarting);
  EXPECT_EQ(status().last_error, "boom");
  EXPECT_TRUE(orders.empty());
  advance(1s);
  EXPECT_EQ(orders, (std::vector<std::uint64_t>{1}));
  tell(supervisor, child_restarted{"store"});
  EXPECT_EQ(status().state, actor_state::running);
  EXPECT_EQ(status().restarts, 1u);
}

TEST_F(Supervisor, EscalatesOnceWhenAChildFailsTooOften) {
  for (std::uint64_t generation = 1; generation <= 4; ++generation)
    tell(supervisor, child_failed{"store", generation, "boom"});
  advance(10s);
  EXPECT_EQ(orders, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(escalated, (std::vector<std::string>{"store"}));
  EXPECT_EQ(status().state, actor_state::stopped);
}

TEST_F(Supervisor, IgnoresAChildThatItDoesNotKnow) {
  tell(supervisor, child_failed{"stranger", 1, "boom"});
  EXPECT_TRUE(escalated.empty());
}

} // namespace
} // namespace herald
