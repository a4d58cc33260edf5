#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/memory/failing_memory.hpp"

namespace herald::testing {

/// All that can be asked of an object, as texts.
using state_lines = std::vector<std::string>;

/// What an object finds wrong with itself; empty: nothing.
template <class Object>
std::string damage_of(const Object& object) {
  if constexpr (std::is_same_v<decltype(object.check()), bool>)
    return object.check() ? "" : "damaged";
  else
    return object.check().value_or("");
}

/// Calls `operate(n, failed)` for each allocation that what it tries makes, from the first: it is
/// to say whether the n-th was asked for. Ends with the first that was not, or with a failure.
template <class Operate>
void each_allocation(Operate operate) {
  constexpr std::size_t most = 1000;
  for (std::size_t n = 1; n <= most; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n) + " fails");
    bool failed = false;
    operate(n, failed);
    if (::testing::Test::HasFailure())
      return;
    if (!failed) {
      EXPECT_GT(n, 1U) << "it takes no memory: nothing is tested";
      return;
    }
  }
  FAIL() << "it takes more than " << most << " allocations";
}

/// Has an operation fail at each of its allocations, each time on an object of its own: it must
/// change nothing then, and succeed when it is repeated as if nothing had been.
///
/// `make` gives an object, always the same. `operate` takes memory for nothing but the operation,
/// and gives what that gives; `told` makes of it what can be compared.
template <class Make, class Operate, class State, class Told = std::identity>
void each_failure(Make make, Operate operate, State state_of, Told told = {}) {
  const auto twin = make();
  const auto before = state_of(*twin);
  const auto expected = told(operate(*twin));
  const auto after = state_of(*twin);
  each_allocation([&](std::size_t n, bool& failed) {
    const auto object = make();
    std::optional<std::decay_t<decltype(operate(*object))>> given;
    {
      failing_memory memory{n};
      try {
        given.emplace(operate(*object));
      } catch (const std::bad_alloc&) {
        EXPECT_TRUE(memory.failed());
      }
      failed = memory.failed();
    }
    ASSERT_EQ(damage_of(*object), "");
    // Otherwise it does without.
    if (!given) {
      ASSERT_EQ(state_of(*object), before);
      given.emplace(operate(*object));
      ASSERT_EQ(damage_of(*object), "");
    }
    ASSERT_EQ(told(*given), expected);
    ASSERT_EQ(state_of(*object), after);
  });
}

} // namespace herald::testing
