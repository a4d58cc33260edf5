#include "actors/registry/publish_tickets.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(PublishTickets, EndWithTheLastTransport) {
  publish_tickets tickets;
  const ticket_id ticket = 3;
  tickets.open(ticket, 2, 10);
  EXPECT_FALSE(tickets.settle(ticket, 4));
  const auto outcome = tickets.settle(ticket, 5);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->delivered, 9u);
  EXPECT_EQ(outcome->failed, 1u);
  EXPECT_EQ(tickets.size(), 0u);
}

TEST(PublishTickets, IgnoreWhatIsNotOpen) {
  publish_tickets tickets;
  EXPECT_FALSE(tickets.settle(7, 1));
  EXPECT_FALSE(tickets.give_up(7));
}

TEST(PublishTickets, GiveUpWithWhatIsKnown) {
  publish_tickets tickets;
  const ticket_id ticket = 3;
  tickets.open(ticket, 2, 10);
  EXPECT_FALSE(tickets.settle(ticket, 4));
  const auto outcome = tickets.give_up(ticket);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->delivered, 4u);
  EXPECT_EQ(outcome->failed, 0u);
  EXPECT_FALSE(tickets.settle(ticket, 6)) << "a late transport finds nobody waiting";
}

TEST(PublishTickets, NeverCountMoreThanThereAre) {
  publish_tickets tickets;
  tickets.open(1, 1, 3);
  const auto outcome = tickets.settle(1, 5);
  EXPECT_EQ(outcome->delivered, 3u);
  EXPECT_EQ(outcome->failed, 0u);
}

} // namespace
} // namespace herald
