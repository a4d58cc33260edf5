#include "tests/bench/swarm/publish_log.hpp"

#include <gtest/gtest.h>

namespace herald::bench {
namespace {

TEST(PublishLog, FindsTheFirstEventAfterATime) {
  publish_log log;
  EXPECT_EQ(log.first_after(0), 1u);
  log.append(10);
  log.append(20, 3);
  log.append(30);
  EXPECT_EQ(log.last(), 5u);
  EXPECT_EQ(log.first_after(5), 1u);
  EXPECT_EQ(log.first_after(10), 2u);
  EXPECT_EQ(log.first_after(20), 5u);
  EXPECT_EQ(log.first_after(30), 6u);
}

TEST(PublishLog, HoldsMillions) {
  publish_log log;
  log.append(1, 1'000'000);
  log.append(2, 1'000'000);
  EXPECT_EQ(log.first_after(1), 1'000'001u);
}

} // namespace
} // namespace herald::bench
