#include "http/fanout/heartbeat_watchers.hpp"

#include <set>

#include <gtest/gtest.h>

namespace herald {
namespace {

class HeartbeatWatchers : public ::testing::Test {
protected:
  /// The streams that a slice reaches.
  std::set<stream_slot> slice(std::size_t count) {
    std::set<stream_slot> reached;
    more = watchers.run_slice(count, [&](stream_slot slot) { reached.insert(slot); });
    return reached;
  }

  heartbeat_watchers watchers;
  bool more = false;
};

using slots = std::set<stream_slot>;

TEST_F(HeartbeatWatchers, GetOneHeartbeatInEachRound) {
  watchers.add(1);
  watchers.add(7);
  EXPECT_EQ(slice(10), slots{}) << "no round has begun";
  for (int round = 0; round < 2; ++round) {
    watchers.begin_round();
    EXPECT_EQ(slice(10), (slots{1, 7}));
    EXPECT_FALSE(more);
    EXPECT_EQ(slice(10), slots{});
  }
}

TEST_F(HeartbeatWatchers, AreReachedInSlices) {
  for (stream_slot slot = 0; slot < 10; ++slot)
    watchers.add(slot);
  watchers.begin_round();
  auto reached = slice(4);
  EXPECT_EQ(reached.size(), 4u);
  EXPECT_TRUE(more);
  watchers.begin_round();
  reached.merge(slice(100));
  EXPECT_EQ(reached.size(), 10u);
  EXPECT_FALSE(more) << "a round that was under way has not begun again";
}

TEST_F(HeartbeatWatchers, AreLeftOutOnceTheyHaveEnded) {
  watchers.add(1);
  watchers.add(2);
  watchers.begin_round();
  watchers.remove(1);
  EXPECT_EQ(slice(10), slots{2});
  watchers.begin_round();
  EXPECT_EQ(slice(10), slots{2});
}

} // namespace
} // namespace herald
