#include "http/fanout/delivery_targets.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

class DeliveryTargets : public ::testing::Test {
protected:
  std::vector<stream_slot> rest() {
    std::vector<stream_slot> all;
    for (; const auto slot = targets.next(); targets.done())
      all.push_back(*slot);
    return all;
  }

  delivery_targets targets;
};

TEST_F(DeliveryTargets, NamesEachStreamOnceInItsOrder) {
  targets.restart() = {2, 4, 6};
  targets.add(4);
  targets.add(5);
  targets.add(0);
  targets.add(9);
  targets.leave_out(6);
  targets.leave_out(7);
  EXPECT_EQ(rest(), (std::vector<stream_slot>{0, 2, 4, 5, 9}));
  EXPECT_EQ(targets.next(), std::nullopt);
}

TEST_F(DeliveryTargets, LeavesStreamsOutThatHaveEnded) {
  targets.restart() = {1, 2, 3, 4, 5};
  targets.ended(4);
  EXPECT_EQ(targets.next(), 1u);
  targets.done();
  for (const stream_slot slot : {1, 2, 4, 5, 6, 0})
    targets.ended(slot);
  EXPECT_EQ(rest(), (std::vector<stream_slot>{3}));
  targets.ended(3);
  EXPECT_EQ(targets.next(), std::nullopt);
}

TEST_F(DeliveryTargets, KeepsThoseThatAreLeftWhereMemoryIsGivenBack) {
  targets.restart() = {1, 2};
  targets.release_memory();
  EXPECT_EQ(rest(), (std::vector<stream_slot>{1, 2}));
  targets.release_memory();
  targets.ended(1);
  EXPECT_EQ(targets.next(), std::nullopt);
}

} // namespace
} // namespace herald
