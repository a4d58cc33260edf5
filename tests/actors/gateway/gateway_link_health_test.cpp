#include "actors/gateway/gateway_link_health.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using change = gateway_link_health::change;

class GatewayLinkHealth : public ::testing::Test {
protected:
  change sent(send_result result) { return health.sent(result, now); }

  double chance = 0;
  const gateway_options options;
  const random_source random = [this] {
    return chance;
  };
  gateway_link_health health{options, random};
  gateway_link_health::time_point now{1h};
};

TEST_F(GatewayLinkHealth, IsDownOnceNobodyIsReachedAndUpWithTheFirstAnswer) {
  for (const auto answer : {send_result::delivered, send_result::gone, send_result::refused}) {
    EXPECT_EQ(sent(send_result::unreachable), change::down);
    EXPECT_EQ(sent(send_result::unreachable), change::none) << "is known";
    EXPECT_TRUE(health.down());
    now += 1s;
    EXPECT_EQ(sent(answer), change::up);
    EXPECT_FALSE(health.down());
    EXPECT_EQ(health.back_since(), now);
    now += 1s;
    EXPECT_EQ(sent(answer), change::none);
    EXPECT_EQ(health.back_since(), now - 1s);
  }
}

TEST_F(GatewayLinkHealth, TakesTwoTimeOutsInARowForTheGatewaysFault) {
  EXPECT_EQ(sent(send_result::timed_out), change::none);
  EXPECT_EQ(sent(send_result::failing), change::none) << "it answers";
  EXPECT_EQ(sent(send_result::timed_out), change::none);
  EXPECT_LE(health.paused_until(), now);
  EXPECT_EQ(sent(send_result::timed_out), change::down);
  EXPECT_GT(health.paused_until(), now);
}

TEST_F(GatewayLinkHealth, SaysNothingOfAGatewayThatIsFailing) {
  EXPECT_EQ(sent(send_result::failing), change::none);
  sent(send_result::unreachable);
  EXPECT_EQ(sent(send_result::failing), change::none);
  EXPECT_TRUE(health.down());
}

TEST_F(GatewayLinkHealth, PausesForTwiceAsLongEachTimeUpToTheMaximum) {
  for (const auto pause : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    sent(send_result::unreachable);
    EXPECT_EQ(health.paused_until(), now + pause);
  }
  sent(send_result::delivered);
  sent(send_result::unreachable);
  EXPECT_EQ(health.paused_until(), now + 100ms) << "anew";
  EXPECT_EQ(health.pause(4'000'000'000), 1s);
}

TEST_F(GatewayLinkHealth, LeavesAShareOfThePauseToChance) {
  chance = 0.5;
  EXPECT_EQ(health.pause(0), 90ms);
}

TEST_F(GatewayLinkHealth, EndsThePauseWhenTheGatewayCalls) {
  sent(send_result::unreachable);
  now += 1ms;
  health.called(now);
  EXPECT_EQ(health.paused_until(), now);
  EXPECT_TRUE(health.down()) << "until it has answered";
  health.called(now + 1s);
  EXPECT_EQ(health.paused_until(), now) << "never longer";
}

} // namespace
} // namespace herald
