#include "messages/text/expirations.hpp"

#include <new>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

const wall_time midday{12h};

class Expirations : public ::testing::Test {
protected:
  /// What is done at that time.
  lines at(wall_time now, std::size_t count = 100) {
    EXPECT_EQ(streams.check(), std::nullopt);
    lines done;
    more = streams.run_slice(
      count, now,
      [&](expirations::number slot, std::chrono::milliseconds left) {
        done.push_back("tell " + std::to_string(slot) + " " + std::to_string(left.count()));
      },
      [&](expirations::number slot) { done.push_back("end " + std::to_string(slot)); });
    return done;
  }

  expirations streams{20s};
  bool more = false;
};

TEST_F(Expirations, AreToldAndThenEnded) {
  streams.add(1, midday - 1h, midday, 3s);
  EXPECT_FALSE(streams.due(midday - 20001ms));
  EXPECT_EQ(at(midday - 20001ms), lines{});
  EXPECT_TRUE(streams.due(midday - 20s));
  EXPECT_EQ(at(midday - 20s), lines{"tell 1 20000"});
  EXPECT_EQ(at(midday - 10s), lines{}) << "once";
  EXPECT_EQ(at(midday + 2999ms), lines{});
  EXPECT_EQ(at(midday + 3s), lines{"end 1"});
  EXPECT_EQ(streams.size(), 0u);
}

/// A page that is told at once would renew without end.
TEST_F(Expirations, AreToldAtHalfOfAShortTime) {
  streams.add(1, midday, midday + 30s, 0s);
  EXPECT_EQ(at(midday + 14999ms), lines{});
  EXPECT_EQ(at(midday + 15s), lines{"tell 1 15000"});
  streams.add(2, midday, midday + 2s, 0s);
  EXPECT_EQ(at(midday), lines{});
  EXPECT_EQ(at(midday + 1s), lines{"tell 2 1000"});
  streams.add(3, midday + 1s, midday, 0s);
  EXPECT_EQ(at(midday + 1s), (lines{"tell 3 0", "end 3"})) << "it was over before it began";
}

TEST_F(Expirations, GoByTheClockOnTheWallWhicheverWayItIsSet) {
  streams.add(1, midday - 1h, midday, 3s);
  EXPECT_EQ(at(midday + 1h), (lines{"tell 1 0", "end 1"})) << "forwards";
  streams.add(2, midday - 1h, midday, 3s);
  EXPECT_EQ(at(midday - 1s), lines{"tell 2 1000"});
  EXPECT_EQ(at(midday - 1h), lines{}) << "backwards: it was told";
  EXPECT_EQ(at(midday + 3s), lines{"end 2"});
}

TEST_F(Expirations, AreForgottenWhenTheyEndOtherwise) {
  streams.add(1, midday - 1h, midday, 0s);
  streams.add(2, midday - 1h, midday, 0s);
  streams.remove(1);
  streams.remove(7);
  EXPECT_EQ(at(midday), (lines{"tell 2 0", "end 2"}));
  streams.add(1, midday - 1h, midday + 1h, 0s);
  streams.add(1, midday - 1h, midday + 2h, 0s);
  EXPECT_EQ(streams.size(), 1u) << "another stream has the slot";
  EXPECT_EQ(at(midday + 1h), lines{});
}

TEST_F(Expirations, AreGoodForWhatWasSaidLast) {
  streams.add(1, midday - 1h, midday, 0s);
  EXPECT_EQ(at(midday - 20s), lines{"tell 1 20000"});
  streams.add(1, midday - 20s, midday + 1h, 0s);
  EXPECT_EQ(at(midday + 1s), lines{}) << "it was told of another end";
  EXPECT_EQ(at(midday + 1h - 20s), lines{"tell 1 20000"});
  EXPECT_TRUE(streams.contains(1));
  EXPECT_FALSE(streams.contains(2));
}

/// Opened, told and ended at one time: it has one place among what is due.
TEST_F(Expirations, AreEndedWhereTheyAreToldAtTheirEnd) {
  streams.add(1, midday, midday, 0s);
  EXPECT_EQ(at(midday, 1), lines{"tell 1 0"});
  EXPECT_EQ(streams.next_due(), midday);
  EXPECT_EQ(at(midday), lines{"end 1"});
}

TEST_F(Expirations, StayDueWhereWhatIsToBeDoneFails) {
  const auto fail = [](auto...) {
    throw std::bad_alloc{};
  };
  streams.add(1, midday - 1h, midday, 0s);
  EXPECT_THROW(streams.run_slice(9, midday, fail, fail), std::bad_alloc);
  EXPECT_EQ(at(midday, 1), lines{"tell 1 0"});
  EXPECT_THROW(streams.run_slice(9, midday, fail, fail), std::bad_alloc);
  EXPECT_EQ(at(midday), lines{"end 1"});
}

TEST_F(Expirations, MayBeRemovedByWhatIsDone) {
  const auto remove = [&](expirations::number slot, auto...) {
    streams.remove(slot);
  };
  streams.add(1, midday - 1h, midday, 0s);
  EXPECT_FALSE(streams.run_slice(9, midday - 1s, remove, remove));
  EXPECT_EQ(streams.size(), 0u);
  streams.add(1, midday - 1h, midday, 0s);
  EXPECT_EQ(at(midday, 1), lines{"tell 1 0"});
  EXPECT_FALSE(streams.run_slice(9, midday, remove, remove));
  EXPECT_EQ(streams.size(), 0u);
}

TEST_F(Expirations, AreDoneInSlices) {
  for (expirations::number slot = 0; slot < 5; ++slot)
    streams.add(slot, midday - 1h, midday, 1s);
  EXPECT_EQ(at(midday, 3).size(), 3u);
  EXPECT_TRUE(more);
  EXPECT_EQ(at(midday, 3).size(), 2u);
  EXPECT_FALSE(more);
}

TEST(ExpirationsWithoutNotice, AreEndedUntold) {
  expirations streams{0ms};
  streams.add(1, midday - 1h, midday, 1s);
  EXPECT_FALSE(streams.due(midday));
  int ended = 0;
  streams.run_slice(
    9, midday + 1s, [](expirations::number, std::chrono::milliseconds) { FAIL(); },
    [&](expirations::number) { ++ended; });
  EXPECT_EQ(ended, 1);
}

} // namespace
} // namespace herald
