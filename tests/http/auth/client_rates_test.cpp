#include "http/auth/client_rates.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

const client_rates::time_point beginning_of_failures{1h};

client_address client_with(std::uint8_t number) {
  client_address address{};
  address.back() = number;
  return address;
}

TEST(ClientRates, LetSoManyPassInAMinute) {
  client_rates failed{{3, 60s, 10}};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 0ms);
    failed.note(client_with(1), beginning_of_failures);
  }
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 20s);
  EXPECT_EQ(failed.wait(client_with(2), beginning_of_failures), 0ms);
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures + 20s), 0ms);
  failed.note(client_with(1), beginning_of_failures + 20s);
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures + 20s), 20s);
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures + 1h), 0ms);
}

TEST(ClientRates, AreNotCountedWithoutALimit) {
  client_rates failed{{0, 60s, 10}};
  for (int i = 0; i < 100; ++i)
    failed.note(client_with(1), beginning_of_failures);
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 0ms);
}

TEST(ClientRates, ForgetTheAddressThatFailedLongestAgo) {
  client_rates failed{{1, 60s, 2}};
  EXPECT_FALSE(failed.note(client_with(1), beginning_of_failures));
  EXPECT_FALSE(failed.note(client_with(2), beginning_of_failures));
  EXPECT_FALSE(failed.note(client_with(1), beginning_of_failures));
  EXPECT_TRUE(failed.note(client_with(3), beginning_of_failures));
  EXPECT_GT(failed.wait(client_with(1), beginning_of_failures), 0ms);
  EXPECT_EQ(failed.wait(client_with(2), beginning_of_failures), 0ms);
  EXPECT_GT(failed.wait(client_with(3), beginning_of_failures), 0ms);
  // One whose time is over is no loss.
  EXPECT_FALSE(failed.note(client_with(4), beginning_of_failures + 1h));
}

TEST(ClientRates, LetNobodyWaitLongerForWhatHappensWhileItWaits) {
  client_rates failed{{1, 60s, 10}};
  for (int i = 0; i < 10; ++i)
    failed.note(client_with(1), beginning_of_failures);
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 60s);
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures + 60s), 0ms);
}

/// Threads look at the clock before they take the lock.
TEST(ClientRates, CountNoMoreForATimeBeforeTheLast) {
  client_rates failed{{4, 60s, 10}};
  failed.note(client_with(1), beginning_of_failures + 30s);
  failed.note(client_with(1), beginning_of_failures);
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 0ms) << "two are left";
  for (int i = 0; i < 4; ++i)
    failed.note(client_with(2), beginning_of_failures + 30s);
  EXPECT_EQ(failed.wait(client_with(2), beginning_of_failures), 15s) << "and no wait is longer";
}

TEST(ClientRates, GoOnWithOtherLimits) {
  client_rates failed{{1, 60s, 10}};
  failed.note(client_with(1), beginning_of_failures);
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 60s);
  failed.change({60, 60s, 10});
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 1s);
  failed.change({0, 60s, 10});
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 0ms);
}

TEST(ClientRates, TakeWhatIsLeftAndNoMore) {
  client_rates opens{{2, 1s, 10}};
  const auto take = [&](std::chrono::milliseconds after) {
    return opens.take(client_with(1), beginning_of_failures + after).wait;
  };
  EXPECT_EQ(take(0ms), 0ms);
  EXPECT_EQ(take(0ms), 0ms);
  EXPECT_EQ(take(0ms), 500ms);
  EXPECT_EQ(take(200ms), 300ms) << "what had to wait is not counted";
  EXPECT_EQ(take(500ms), 0ms);
  EXPECT_EQ(take(500ms), 500ms);
}

TEST(ClientRates, KeepNobodyWhoMayDoAllOfAPeriodAgain) {
  client_rates opens{{5, 1s, 100}};
  for (std::uint8_t i = 0; i < 50; ++i)
    EXPECT_FALSE(opens.take(client_with(i), beginning_of_failures).forgot);
  EXPECT_EQ(opens.size(), 50u);
  EXPECT_FALSE(opens.take(client_with(50), beginning_of_failures + 1s).forgot);
  EXPECT_EQ(opens.size(), 1u);
}

} // namespace
} // namespace herald
