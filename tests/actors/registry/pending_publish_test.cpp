#include "actors/registry/pending_publish.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

pending_publish waiting(std::size_t transports, std::size_t recipients) {
  pending_publish made;
  made.value.recipients = recipients;
  made.transports = transports;
  return made;
}

TEST(PendingPublish, IsDeliveredWithTheLastTransport) {
  auto one = waiting(2, 10);
  EXPECT_FALSE(one.count({1, 4}));
  EXPECT_EQ(one.value.delivered, 4u) << "as far as is known";
  EXPECT_EQ(one.value.failed, 0u) << "the rest is under way";
  EXPECT_TRUE(one.count({1, 5}));
  EXPECT_EQ(one.value.delivered, 9u);
  EXPECT_EQ(one.value.failed, 1u);
}

TEST(PendingPublish, IsDeliveredOnce) {
  auto one = waiting(1, 10);
  EXPECT_TRUE(one.count({1, 4}));
  EXPECT_FALSE(one.count({1, 6}));
  EXPECT_EQ(one.value.delivered, 4u);
}

TEST(PendingPublish, NeverCountsMoreThanThereAre) {
  auto one = waiting(1, 3);
  EXPECT_TRUE(one.count({1, 5}));
  EXPECT_EQ(one.value.delivered, 3u);
  EXPECT_EQ(one.value.failed, 0u);
}

TEST(PendingPublish, AddsUpWhatIsPending) {
  auto one = waiting(2, 10);
  EXPECT_FALSE(one.count({1, 4, 3}));
  EXPECT_TRUE(one.count({1, 1, 1}));
  EXPECT_EQ(one.value.delivered, 5u);
  EXPECT_EQ(one.value.failed, 1u);
}

TEST(PendingPublish, CallsNoMorePendingThanThereAre) {
  auto one = waiting(1, 3);
  EXPECT_TRUE(one.count({1, 2, 5}));
  EXPECT_EQ(one.value.delivered, 2u);
  EXPECT_EQ(one.value.failed, 0u);
}

} // namespace
} // namespace herald
