#include "actors/supervision/restart_policy.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using verdict = restart_policy::verdict;

class RestartPolicy : public ::testing::Test {
protected:
  RestartPolicy() {
    options.min_backoff_ms = 100ms;
    options.max_backoff_ms = 300ms;
    options.random_factor = 0;
  }

  auto fail(const char* child = "store") { return policy.failed(child, options, now); }

  restart_policy::time_point now{1h};
  double chance = 0;
  child_options options;
  restart_policy policy{3, 10s, [this] {
                          return chance;
                        }};
};

TEST_F(RestartPolicy, DoublesTheBackoffUpToItsMaximum) {
  EXPECT_EQ(fail().backoff, 100ms);
  EXPECT_EQ(fail().backoff, 200ms);
  EXPECT_EQ(fail().backoff, 300ms);
}

TEST_F(RestartPolicy, StartsTheBackoffAnewOnceAChildHasRunForLongEnough) {
  EXPECT_EQ(fail().backoff, 100ms);
  now += 100ms + 299ms;
  EXPECT_EQ(fail().backoff, 200ms);
  now += 200ms + 300ms;
  EXPECT_EQ(fail().backoff, 100ms);
}

TEST_F(RestartPolicy, BacksOffForEachChildByItself) {
  EXPECT_EQ(fail("store").backoff, 100ms);
  EXPECT_EQ(fail("store").backoff, 200ms);
  EXPECT_EQ(fail("runner").backoff, 100ms);
}

TEST_F(RestartPolicy, StretchesTheBackoffByARandomPart) {
  options.random_factor = 0.2;
  EXPECT_EQ(fail().backoff, 100ms);
  chance = 0.5;
  EXPECT_EQ(fail().backoff, 220ms);
  EXPECT_EQ(fail().backoff, 330ms)
    << "the maximum is stretched too, or all would come back at once";
}

TEST_F(RestartPolicy, EscalatesPastTheIntensity) {
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(fail().what, verdict::restart);
  EXPECT_EQ(fail().what, verdict::escalate);
}

TEST_F(RestartPolicy, CountsARestartUntilThePeriodIsOver) {
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(fail().what, verdict::restart);
  now += 10s;
  EXPECT_EQ(fail().what, verdict::escalate);
  now += 1ms;
  EXPECT_EQ(fail().what, verdict::restart);
}

TEST_F(RestartPolicy, CountsTheRestartsOfAllChildrenTogether) {
  EXPECT_EQ(fail("store").what, verdict::restart);
  EXPECT_EQ(fail("runner").what, verdict::restart);
  EXPECT_EQ(fail("worker").what, verdict::restart);
  EXPECT_EQ(fail("registry").what, verdict::escalate);
}

TEST_F(RestartPolicy, ForgetsRestartsOfAnEarlierPeriod) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(fail().what, verdict::restart);
    now += 4s;
  }
  now -= 4s;
  EXPECT_EQ(fail().what, verdict::escalate) << "the last 10 s hold three";
}

TEST_F(RestartPolicy, EscalatesAtTheFirstFailureWithoutAnyIntensity) {
  restart_policy strict{0, 10s, [] {
                          return 0.0;
                        }};
  EXPECT_EQ(strict.failed("store", options, now).what, verdict::escalate);
}

TEST_F(RestartPolicy, EscalatesAtOnceWhereTheStateIsDamaged) {
  EXPECT_EQ(policy.failed("store", options, now, true).what, verdict::escalate);
}

TEST_F(RestartPolicy, RestartsATransientChildLikeAPermanentOne) {
  options.restart = restart_type::transient;
  EXPECT_EQ(fail().what, verdict::restart);
}

TEST_F(RestartPolicy, LeavesATemporaryChildAloneAndDoesNotCountIt) {
  options.restart = restart_type::temporary;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(fail().what, verdict::leave);
  options.restart = restart_type::permanent;
  EXPECT_EQ(fail().what, verdict::restart);
}

} // namespace
} // namespace herald
