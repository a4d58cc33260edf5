#include "actors/restart_policy.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class RestartPolicy : public ::testing::Test {
protected:
  restart_policy::time_point now{1h};
  restart_policy policy{{3, 10s, 100ms, 300ms}};
};

TEST_F(RestartPolicy, DoublesTheBackoffUpToItsMaximum) {
  EXPECT_EQ(policy.failed(now).backoff, 100ms);
  EXPECT_EQ(policy.failed(now).backoff, 200ms);
  EXPECT_EQ(policy.failed(now).backoff, 300ms);
}

TEST_F(RestartPolicy, EscalatesPastTheIntensity) {
  for (int i = 0; i < 3; ++i)
    EXPECT_FALSE(policy.failed(now).escalate);
  EXPECT_TRUE(policy.failed(now).escalate);
  EXPECT_EQ(policy.restarts(), 3u);
}

TEST_F(RestartPolicy, ForgetsFailuresOfAnEarlierPeriod) {
  for (int i = 0; i < 20; ++i) {
    const auto decision = policy.failed(now);
    EXPECT_FALSE(decision.escalate);
    EXPECT_EQ(decision.backoff, 100ms);
    now += 11s;
  }
}

} // namespace
} // namespace herald
