#include "http/fanout/heartbeat_round.hpp"

#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class HeartbeatRound : public ::testing::Test {
protected:
  static constexpr auto slice = heartbeat_round::slice_slots;

  /// Passes the time, and notes for each slot when it was due.
  void pass(heartbeat_round::duration time, std::size_t slots) {
    for (const auto stop = now + time; now < stop;) {
      now = std::min(std::max(now, round.due(slots)), stop);
      std::size_t together = 0;
      while (const auto found = round.next(now, slots)) {
        for (auto slot = found->begin; slot < found->end; ++slot)
          beats[slot].push_back(now - start);
        together += found->end - found->begin;
      }
      most_together = std::max(most_together, together);
    }
  }

  /// The longest time between two heartbeats of a slot.
  heartbeat_round::duration longest_pause() const {
    heartbeat_round::duration longest{};
    for (const auto& [slot, times] : beats)
      for (std::size_t i = 1; i < times.size(); ++i)
        longest = std::max(longest, times[i] - times[i - 1]);
    return longest;
  }

  const heartbeat_round::time_point start{1000h};
  heartbeat_round::time_point now = start;
  heartbeat_round round{16s, start};
  std::map<stream_slot, std::vector<heartbeat_round::duration>> beats;
  std::size_t most_together = 0;
};

TEST_F(HeartbeatRound, ReachesEachSlotOnceInAnInterval) {
  pass(32s, 16 * slice);
  EXPECT_EQ(beats.size(), 16 * slice);
  for (const auto& [slot, times] : beats) {
    const auto first = (slot / slice + 1) * 1s;
    EXPECT_EQ(times, (std::vector<heartbeat_round::duration>{first, first + 16s})) << slot;
  }
}

TEST_F(HeartbeatRound, ReachesNoMoreThanASliceAtATime) {
  pass(100s, 50 * slice + 7);
  EXPECT_EQ(most_together, slice);
}

TEST_F(HeartbeatRound, IsDueAtItsEndWhereAllFitsInOneSlice) {
  EXPECT_EQ(round.due(0), start + 16s);
  EXPECT_FALSE(round.next(start + 16s - 1ms, 3));
  const auto all = round.next(start + 16s, 3);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->begin, 0u);
  EXPECT_EQ(all->end, 3u);
  EXPECT_TRUE(all->first);
  EXPECT_TRUE(all->last);
  EXPECT_EQ(round.due(3), start + 32s);
}

TEST_F(HeartbeatRound, KnowsTheFirstAndTheLastSlice) {
  for (std::size_t i = 0; i < 3; ++i) {
    const auto found = round.next(start + 16s, 3 * slice);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->begin, i * slice);
    EXPECT_EQ(found->end, (i + 1) * slice);
    EXPECT_EQ(found->first, i == 0);
    EXPECT_EQ(found->last, i == 2);
  }
  EXPECT_FALSE(round.next(start + 16s, 3 * slice));
}

TEST_F(HeartbeatRound, LeavesTheFirstHalfOutWhereAllWereTold) {
  pass(5s, 4 * slice);
  beats.clear();
  round.told(now);
  pass(8s, 4 * slice);
  EXPECT_TRUE(beats.empty()) << "events that come faster leave no heartbeat between them";
  pass(40s, 4 * slice);
  for (const auto& [slot, times] : beats)
    EXPECT_LE(times.front(), 5s + 16s) << slot;
  EXPECT_LE(longest_pause(), 16s);
}

TEST_F(HeartbeatRound, IsNeverLateForASlotThatComesMeanwhile) {
  std::map<stream_slot, heartbeat_round::duration> opened;
  std::size_t slots = 0;
  for (int step = 0; step < 300; ++step) {
    for (const auto stop = slots + 11; slots < stop; ++slots)
      opened[static_cast<stream_slot>(slots)] = now - start;
    pass(100ms, slots);
  }
  pass(20s, slots);
  EXPECT_EQ(beats.size(), slots);
  for (const auto& [slot, times] : beats)
    EXPECT_LE(times.front() - opened[slot], 16s) << slot;
  EXPECT_LE(longest_pause(), 16s);
}

TEST_F(HeartbeatRound, DoesNotMakeUpForMoreThanARound) {
  now += 200s;
  pass(1ms, 2 * slice);
  EXPECT_LE(beats[0].size(), 2u);
  beats.clear();
  pass(160s, 2 * slice);
  EXPECT_LE(beats[0].size(), 11u);
  EXPECT_GE(beats[0].size(), 10u);
}

} // namespace
} // namespace herald
