#include "tests/bench/swarm/delivery_counter.hpp"

#include <gtest/gtest.h>

namespace herald::bench {
namespace {

constexpr nanos opened = 1;
constexpr nanos measuring_begins = 100;

class DeliveryCounterTest : public testing::Test {
protected:
  DeliveryCounterTest() {
    for (nanos at : {10, 20, 110})
      run_.published.append(at);
    run_.measured_since = measuring_begins;
    run_.measured_from = 3;
  }

  void see(event_number number, nanos received) {
    counter_.count(stream_, opened, {.sent_at = number * 10, .number = number}, received);
  }

  [[nodiscard]] const delivery_tally& tally() const { return counter_.tally(); }

  progress run_;
  delivery_counter counter_{run_};
  sequence_check stream_;
};

TEST_F(DeliveryCounterTest, CountsWhatWasUnderWayWhenMeasuringBeganAndNotItsLatency) {
  see(1, 90);
  see(2, 105);
  see(3, 120);
  EXPECT_EQ(tally().delivered, 3u);
  EXPECT_EQ(tally().measured, 2u);
  EXPECT_EQ(tally().last_measured, 120);
  EXPECT_EQ(tally().latency.count(), 1u);
}

TEST_F(DeliveryCounterTest, CountsARepetitionOnce) {
  see(1, 110);
  see(1, 120);
  EXPECT_EQ(tally().measured, 1u);
  EXPECT_EQ(tally().duplicated, 1u);
}

TEST_F(DeliveryCounterTest, CountsWhatAStreamHasNotGotAsLostWhereEventsAreForAll) {
  see(2, 90);
  counter_.close_owed(stream_, opened);
  EXPECT_EQ(tally().lost, 2u);
}

TEST_F(DeliveryCounterTest, CountsNothingAsLostHereWhereEventsAreForSome) {
  run_.reach = 1;
  see(2, 90);
  counter_.close_own(stream_);
  counter_.close_owed(stream_, opened);
  EXPECT_EQ(tally().delivered, 1u);
  EXPECT_EQ(tally().lost, 0u);
}

} // namespace
} // namespace herald::bench
