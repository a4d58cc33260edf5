#include "http/keys/failed_attempts.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

const failed_attempts::time_point beginning_of_failures{1h};

client_address client_with(std::uint8_t number) {
  client_address address{};
  address.back() = number;
  return address;
}

TEST(FailedAttempts, LetSoManyPassInAMinute) {
  failed_attempts failed{{3, 10}};
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

TEST(FailedAttempts, AreNotCountedWithoutALimit) {
  failed_attempts failed{{0, 10}};
  for (int i = 0; i < 100; ++i)
    failed.note(client_with(1), beginning_of_failures);
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 0ms);
}

TEST(FailedAttempts, ForgetTheAddressThatFailedLongestAgo) {
  failed_attempts failed{{1, 2}};
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

TEST(FailedAttempts, GoOnWithOtherLimits) {
  failed_attempts failed{{1, 10}};
  failed.note(client_with(1), beginning_of_failures);
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 60s);
  failed.change({60, 10});
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 1s);
  failed.change({0, 10});
  EXPECT_EQ(failed.wait(client_with(1), beginning_of_failures), 0ms);
}

} // namespace
} // namespace herald
