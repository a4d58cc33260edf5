// The rules of streams, audiences, keys, versions, observers and tasks hold in whatever order the
// actors come to handle their messages: 10,000 worlds, each from a seed, against a model that does
// one thing after the other.
//
//   HERALD_TEST_SEED=4711 build/dev/tests/herald_unit_tests --gtest_filter='*Interleaving*'
//
// repeats one world and tells what was done in it; HERALD_TEST_SEEDS=100000 plays that many.

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include <spdlog/spdlog.h>

#include "actors/telemetry/log.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/rules_world.hpp"
#include "tests/support/sanitizer.hpp"

namespace herald {
namespace {

constexpr unsigned shards = 10;
constexpr auto usual_seeds = testing::worlds(10'000);

std::optional<unsigned> number_from(const char* variable) {
  const auto* text = std::getenv(variable);
  if (text == nullptr)
    return std::nullopt;
  return static_cast<unsigned>(std::stoul(text));
}

class Interleaving : public testing::actor_test, public ::testing::WithParamInterface<unsigned> {
protected:
  /// What goes wrong in these worlds is meant to.
  Interleaving() {
    log::configure({});
    spdlog::set_level(spdlog::level::off);
  }
  ~Interleaving() override { spdlog::set_level(spdlog::level::info); }

  void play(unsigned seed) {
    testing::rules_world world{system(), scheduler(), numbers, seed};
    world.run();
    const auto& c = world.counts();
    sum.streams += c.streams;
    sum.replacements += c.replacements;
    sum.late_failures += c.late_failures;
    sum.replays += c.replays;
    sum.gaps += c.gaps;
    sum.greetings += c.greetings;
    sum.broken_observers += c.broken_observers;
    sum.refusals += c.refusals;
    sum.tasks += c.tasks;
    sum.addressed += c.addressed;
    sum.values += c.values;
    sum.changes += c.changes;
    sum.look_backs += c.look_backs;
    sum.keyed += c.keyed;
    sum.replayed += c.replayed;
    sum.conflicts += c.conflicts;
    if (!HasFailure() && !only)
      return;
    std::cerr << "seed " << seed << " (HERALD_TEST_SEED=" << seed << " repeats it):\n";
    for (const auto& line : world.history())
      std::cerr << "  " << line << '\n';
  }

  metrics numbers;
  testing::rules_world::tally sum;
  std::optional<unsigned> only = number_from("HERALD_TEST_SEED");
};

TEST_P(Interleaving, KeepsTheRulesInAnyOrder) {
  if (only) {
    if (*only % shards == GetParam())
      play(*only);
    return;
  }
  const auto count = number_from("HERALD_TEST_SEEDS").value_or(usual_seeds);
  for (auto seed = GetParam(); seed < count && !HasFailure(); seed += shards)
    play(seed);
  if (count < usual_seeds || HasFailure())
    return;
  // The cases worth testing do come up.
  const auto worlds = count / shards;
  EXPECT_GT(sum.streams, 5 * worlds);
  EXPECT_GT(sum.replacements, worlds);
  EXPECT_GT(sum.late_failures, worlds / 2);
  EXPECT_GT(sum.replays, worlds / 2);
  EXPECT_GT(sum.gaps, worlds / 50);
  EXPECT_GT(sum.greetings, worlds);
  EXPECT_GT(sum.broken_observers, worlds / 50);
  EXPECT_GT(sum.refusals, worlds / 2);
  EXPECT_GT(sum.tasks, worlds / 2);
  EXPECT_GT(sum.addressed, worlds / 2);
  EXPECT_GT(sum.values, worlds / 20);
  EXPECT_GT(sum.changes, worlds);
  EXPECT_GT(sum.look_backs, worlds / 2);
  EXPECT_GT(sum.keyed, worlds);
  EXPECT_GT(sum.replayed, worlds / 2);
  EXPECT_GT(sum.conflicts, worlds / 20);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Interleaving, ::testing::Range(0u, shards));

} // namespace
} // namespace herald
