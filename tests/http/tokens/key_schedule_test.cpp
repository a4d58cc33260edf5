#include "http/tokens/key_schedule.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using time_point = key_schedule::time_point;

const time_point start{1000s};

class KeySchedule : public ::testing::Test {
protected:
  /// A fetch that began at the start, and has brought keys.
  void fetched() {
    schedule.begin(start);
    schedule.succeed(start + 1s);
  }

  /// The same, and a second one that has failed.
  void failed() {
    fetched();
    schedule.begin(start + 301s);
    schedule.fail(start + 302s);
  }

  key_schedule schedule{300s, 30s, 1h};
};

TEST_F(KeySchedule, BeginsAtOnce) {
  EXPECT_TRUE(schedule.due(start));
  schedule.begin(start);
  EXPECT_FALSE(schedule.due(start + 24h));
  EXPECT_EQ(schedule.next(), std::nullopt);
}

TEST_F(KeySchedule, FetchesAgainSinceKeysAreWithdrawn) {
  fetched();
  EXPECT_EQ(schedule.next(), start + 301s);
  EXPECT_FALSE(schedule.due(start + 300s));
  EXPECT_TRUE(schedule.due(start + 301s));
}

TEST_F(KeySchedule, TriesAgainWhereAFetchHasFailed) {
  schedule.begin(start);
  schedule.fail(start + 5s);
  EXPECT_FALSE(schedule.due(start + 29s));
  EXPECT_TRUE(schedule.due(start + 30s));
}

TEST_F(KeySchedule, FetchesForAMissedKeyAndNotMoreOftenThanAllowed) {
  fetched();
  // The source was asked just now.
  EXPECT_EQ(schedule.miss("a", start + 2s), key_outlook::later);
  EXPECT_EQ(schedule.miss("b", start + 29s), key_outlook::later);
  EXPECT_FALSE(schedule.due(start + 29s));
  EXPECT_EQ(schedule.next(), start + 30s);
  EXPECT_EQ(schedule.miss("a", start + 30s), key_outlook::soon);
  EXPECT_TRUE(schedule.due(start + 30s));
  schedule.begin(start + 30s);
  EXPECT_EQ(schedule.miss("c", start + 31s), key_outlook::soon);
  schedule.succeed(start + 32s);
  // Nobody is left who waits for a fetch.
  EXPECT_EQ(schedule.next(), start + 332s);
}

TEST_F(KeySchedule, SaysThatAKeyWillNotComeOnceItWasLookedFor) {
  fetched();
  EXPECT_EQ(schedule.miss("a", start + 2s), key_outlook::later);
  schedule.begin(start + 30s);
  EXPECT_EQ(schedule.miss("b", start + 31s), key_outlook::soon);
  schedule.succeed(start + 32s);
  EXPECT_EQ(schedule.miss("a", start + 33s), key_outlook::none);
  // It was missed when the source had been asked already.
  EXPECT_EQ(schedule.miss("b", start + 33s), key_outlook::later);
  // After a while the source may have it.
  EXPECT_EQ(schedule.miss("a", start + 60s), key_outlook::soon);
  schedule.begin(start + 60s);
  schedule.succeed(start + 61s);
  EXPECT_EQ(schedule.miss("a", start + 62s), key_outlook::none);
  EXPECT_EQ(schedule.miss("b", start + 62s), key_outlook::none);
}

TEST_F(KeySchedule, SaysOfNoKeyThatItWillNotComeWhileTheSourceIsAway) {
  fetched();
  EXPECT_EQ(schedule.miss("a", start + 2s), key_outlook::later);
  schedule.begin(start + 30s);
  schedule.fail(start + 31s);
  EXPECT_EQ(schedule.miss("a", start + 32s), key_outlook::later);
}

TEST_F(KeySchedule, RemembersABoundedNumberOfMissedKeys) {
  fetched();
  EXPECT_EQ(schedule.miss("a", start + 2s), key_outlook::later);
  for (int i = 0; i != 256; ++i)
    EXPECT_EQ(schedule.miss(std::to_string(i), start + 3s), key_outlook::later);
  EXPECT_EQ(schedule.miss(std::string(256, 'x'), start + 3s), key_outlook::later);
  EXPECT_EQ(schedule.miss(std::string(257, 'x'), start + 3s), key_outlook::later);
  schedule.begin(start + 30s);
  schedule.succeed(start + 31s);
  EXPECT_EQ(schedule.miss("255", start + 32s), key_outlook::none);
  EXPECT_EQ(schedule.miss("a", start + 32s), key_outlook::later);
  EXPECT_EQ(schedule.miss(std::string(256, 'x'), start + 32s), key_outlook::none);
  EXPECT_EQ(schedule.miss(std::string(257, 'x'), start + 32s), key_outlook::later);
}

TEST_F(KeySchedule, SaysLaterWhileTheSourceIsAway) {
  failed();
  EXPECT_EQ(schedule.miss("a", start + 303s), key_outlook::later);
  EXPECT_EQ(schedule.miss("a", start + 331s), key_outlook::soon);
}

TEST_F(KeySchedule, CountsTheAgeOfKeysFromTheFirstFailure) {
  failed();
  EXPECT_FALSE(schedule.stale(start + 302s));
  schedule.begin(start + 331s);
  schedule.fail(start + 332s);
  EXPECT_FALSE(schedule.stale(start + 302s + 1h - 1s));
  EXPECT_TRUE(schedule.stale(start + 302s + 1h));
  schedule.begin(start + 361s);
  EXPECT_EQ(schedule.next(), start + 302s + 1h);
  schedule.succeed(start + 362s);
  EXPECT_FALSE(schedule.stale(start + 24h));
}

TEST_F(KeySchedule, HasNothingToDropTwice) {
  failed();
  schedule.begin(start + 331s);
  EXPECT_TRUE(schedule.stale(start + 2h));
  schedule.dropped();
  EXPECT_FALSE(schedule.stale(start + 2h));
  EXPECT_EQ(schedule.next(), std::nullopt);
  schedule.fail(start + 2h);
  EXPECT_EQ(schedule.next(), start + 361s);
}

TEST_F(KeySchedule, HasNothingToDropWhereNoFetchHasBroughtKeys) {
  schedule.begin(start);
  schedule.fail(start + 1s);
  EXPECT_FALSE(schedule.stale(start + 24h));
}

TEST_F(KeySchedule, FetchesOnDemand) {
  fetched();
  schedule.demand();
  EXPECT_TRUE(schedule.due(start + 2s));
  schedule.begin(start + 2s);
  schedule.succeed(start + 3s);
  EXPECT_FALSE(schedule.due(start + 4s));
}

TEST_F(KeySchedule, LooksForAKeyAgainWhereAFetchIsDemanded) {
  fetched();
  EXPECT_EQ(schedule.miss("a", start + 2s), key_outlook::later);
  schedule.begin(start + 30s);
  schedule.succeed(start + 31s);
  EXPECT_EQ(schedule.miss("a", start + 32s), key_outlook::none);
  schedule.demand();
  EXPECT_EQ(schedule.miss("a", start + 33s), key_outlook::soon);
}

TEST_F(KeySchedule, DropsKeysAtOnceWhereTheyMayNotBeStale) {
  key_schedule strict{300s, 30s, 0s};
  strict.begin(start);
  strict.succeed(start);
  strict.begin(start + 300s);
  strict.fail(start + 301s);
  EXPECT_TRUE(strict.stale(start + 301s));
}

} // namespace
} // namespace herald
