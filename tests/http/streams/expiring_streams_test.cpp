#include "http/streams/expiring_streams.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

const wall_time noon{12h};

class ExpiringStreams : public ::testing::Test {
protected:
  /// What is done at that time.
  lines at(wall_time now, std::size_t count = 100) {
    lines done;
    more = streams.run_slice(
      count, now,
      [&](stream_slot slot, std::chrono::milliseconds left) {
        done.push_back("tell " + std::to_string(slot) + " " + std::to_string(left.count()));
      },
      [&](stream_slot slot) { done.push_back("end " + std::to_string(slot)); });
    return done;
  }

  expiring_streams streams{20s};
  bool more = false;
};

TEST_F(ExpiringStreams, AreToldAndThenEnded) {
  streams.add(1, noon - 1h, noon, 3s);
  EXPECT_FALSE(streams.due(noon - 20001ms));
  EXPECT_EQ(at(noon - 20001ms), lines{});
  EXPECT_TRUE(streams.due(noon - 20s));
  EXPECT_EQ(at(noon - 20s), lines{"tell 1 20000"});
  EXPECT_EQ(at(noon - 10s), lines{}) << "once";
  EXPECT_EQ(at(noon + 2999ms), lines{});
  EXPECT_EQ(at(noon + 3s), lines{"end 1"});
  EXPECT_EQ(streams.size(), 0u);
}

/// A page that is told at once would renew without end.
TEST_F(ExpiringStreams, AreToldAtHalfOfAShortTime) {
  streams.add(1, noon, noon + 30s, 0s);
  EXPECT_EQ(at(noon + 14999ms), lines{});
  EXPECT_EQ(at(noon + 15s), lines{"tell 1 15000"});
  streams.add(2, noon, noon + 2s, 0s);
  EXPECT_EQ(at(noon), lines{});
  EXPECT_EQ(at(noon + 1s), lines{"tell 2 1000"});
  streams.add(3, noon + 1s, noon, 0s);
  EXPECT_EQ(at(noon + 1s), (lines{"tell 3 0", "end 3"})) << "it was over before it began";
}

TEST_F(ExpiringStreams, GoByTheClockOnTheWallWhicheverWayItIsSet) {
  streams.add(1, noon - 1h, noon, 3s);
  EXPECT_EQ(at(noon + 1h), (lines{"tell 1 0", "end 1"})) << "forwards";
  streams.add(2, noon - 1h, noon, 3s);
  EXPECT_EQ(at(noon - 1s), lines{"tell 2 1000"});
  EXPECT_EQ(at(noon - 1h), lines{}) << "backwards: it was told";
  EXPECT_EQ(at(noon + 3s), lines{"end 2"});
}

TEST_F(ExpiringStreams, AreForgottenWhenTheyEndOtherwise) {
  streams.add(1, noon - 1h, noon, 0s);
  streams.add(2, noon - 1h, noon, 0s);
  streams.remove(1);
  streams.remove(7);
  EXPECT_EQ(at(noon), (lines{"tell 2 0", "end 2"}));
  streams.add(1, noon - 1h, noon + 1h, 0s);
  streams.add(1, noon - 1h, noon + 2h, 0s);
  EXPECT_EQ(streams.size(), 1u) << "another stream has the slot";
  EXPECT_EQ(at(noon + 1h), lines{});
}

TEST_F(ExpiringStreams, AreDoneInSlices) {
  for (stream_slot slot = 0; slot < 5; ++slot)
    streams.add(slot, noon - 1h, noon, 1s);
  EXPECT_EQ(at(noon, 3).size(), 3u);
  EXPECT_TRUE(more);
  EXPECT_EQ(at(noon, 3).size(), 2u);
  EXPECT_FALSE(more);
}

TEST(ExpiringStreamsWithoutNotice, AreEndedUntold) {
  expiring_streams streams{0ms};
  streams.add(1, noon - 1h, noon, 1s);
  EXPECT_FALSE(streams.due(noon));
  int ended = 0;
  streams.run_slice(
    9, noon + 1s, [](stream_slot, std::chrono::milliseconds) { FAIL(); },
    [&](stream_slot) { ++ended; });
  EXPECT_EQ(ended, 1);
}

} // namespace
} // namespace herald
