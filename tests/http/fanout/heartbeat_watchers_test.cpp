#include "http/fanout/heartbeat_watchers.hpp"

#include <set>

#include <gtest/gtest.h>

namespace herald {
namespace {

class HeartbeatWatchers : public ::testing::Test {
protected:
  using slots = std::set<stream_slot>;

  /// The streams that watch, of these slots.
  slots in(stream_slot begin, stream_slot end) {
    slots reached;
    any = watchers.each_in(begin, end, [&](stream_slot slot) { reached.insert(slot); });
    return reached;
  }

  heartbeat_watchers watchers;
  bool any = false;
};

TEST_F(HeartbeatWatchers, AreFoundByTheirSlots) {
  EXPECT_EQ(in(0, 100), slots{});
  EXPECT_FALSE(any);
  for (const stream_slot slot : {1U, 7U, 8U, 90U})
    watchers.add(slot);
  EXPECT_EQ(in(0, 100), (slots{1, 7, 8, 90}));
  EXPECT_TRUE(any);
  EXPECT_EQ(in(1, 8), (slots{1, 7}));
  EXPECT_EQ(in(91, 1000), slots{});
  EXPECT_FALSE(any);
}

TEST_F(HeartbeatWatchers, AreLeftOutOnceTheyHaveEnded) {
  watchers.add(1);
  watchers.add(2);
  watchers.remove(1);
  watchers.remove(1000);
  EXPECT_EQ(in(0, 10), slots{2});
  watchers.each_in(0, 10, [&](stream_slot slot) { watchers.remove(slot); });
  EXPECT_EQ(in(0, 10), slots{});
}

} // namespace
} // namespace herald
