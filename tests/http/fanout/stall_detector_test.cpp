#include "http/fanout/stall_detector.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class StallDetector : public ::testing::Test {
protected:
  bool look(std::chrono::milliseconds at, std::uint64_t acknowledged, bool outstanding = true) {
    return streams.look(slot, {acknowledged, outstanding, 0ms}, start + at);
  }

  stall_detector streams{30s};
  stall_detector::time_point start{1000h};
  std::size_t slot = 3;
};

TEST_F(StallDetector, GivesAStreamUpThatHasAcknowledgedNothingForSoLong) {
  EXPECT_FALSE(look(0s, 100));
  EXPECT_FALSE(look(29999ms, 100));
  EXPECT_TRUE(look(30s, 100));
}

TEST_F(StallDetector, StartsAnewWithTheLeastThatIsAcknowledged) {
  EXPECT_FALSE(look(0s, 100));
  EXPECT_FALSE(look(29s, 101)) << "more is due, but not the same";
  EXPECT_FALSE(look(58s, 101));
  EXPECT_TRUE(look(59s, 101));
}

TEST_F(StallDetector, LeavesAStreamAloneWhereNothingIsDue) {
  EXPECT_FALSE(look(0s, 100, false));
  EXPECT_FALSE(look(1h, 100, false));
  EXPECT_FALSE(look(1h + 1s, 100)) << "due since now";
  EXPECT_FALSE(look(1h + 30s, 100));
  EXPECT_FALSE(look(1h + 30500ms, 100, false));
  EXPECT_FALSE(look(1h + 31s, 100)) << "due since now, again";
  EXPECT_TRUE(look(1h + 61s, 100));
}

TEST_F(StallDetector, GivesAStreamUpWhereKeepaliveGetsNoAnswer) {
  EXPECT_FALSE(streams.look(slot, {100, false, 49999ms}, start));
  EXPECT_TRUE(streams.look(slot, {100, false, 50s}, start));
}

TEST_F(StallDetector, LooksAtEachStreamByItself) {
  EXPECT_FALSE(look(0s, 100));
  slot = 7;
  EXPECT_FALSE(look(30s, 100));
  slot = 3;
  EXPECT_TRUE(look(30s, 100));
}

TEST_F(StallDetector, ForgetsAStreamWithItsSlot) {
  EXPECT_FALSE(look(0s, 100));
  streams.reset(slot);
  streams.reset(1000);
  EXPECT_FALSE(look(30s, 100));
  EXPECT_TRUE(look(60s, 100));
}

TEST_F(StallDetector, OutlastsTheMillisecondsOfTheClock) {
  // They begin anew after 2^32, and 0 of them is no time of its own.
  start = stall_detector::time_point{std::chrono::milliseconds{1ULL << 32}};
  EXPECT_FALSE(look(-10s, 100));
  EXPECT_FALSE(look(0s, 100));
  EXPECT_TRUE(look(20s, 100));
  EXPECT_FALSE(look(std::chrono::milliseconds{1ULL << 32}, 200));
  EXPECT_TRUE(look(std::chrono::milliseconds{1ULL << 32} + 31s, 200));
}

} // namespace
} // namespace herald
