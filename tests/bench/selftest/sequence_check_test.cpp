#include "tests/bench/swarm/sequence_check.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace herald::bench {
namespace {

using verdict = sequence_check::verdict;

TEST(SequenceCheck, OwesNothingBeforeItStarts) {
  EXPECT_EQ(sequence_check{}.missing(100), 0u);
}

TEST(SequenceCheck, CountsWhatIsMissingAtTheFrontInTheMiddleAndAtTheEnd) {
  sequence_check check;
  check.start(3);
  check.see(5);
  check.see(8);
  EXPECT_EQ(check.missing(0), 4u);
  EXPECT_EQ(check.missing(10), 6u);
}

TEST(SequenceCheck, TellsLateFromRepeated) {
  sequence_check check;
  check.start(1);
  EXPECT_EQ(check.see(1), verdict::in_order);
  EXPECT_EQ(check.see(5), verdict::in_order);
  EXPECT_EQ(check.see(3), verdict::out_of_order);
  EXPECT_EQ(check.see(3), verdict::duplicate);
  EXPECT_EQ(check.see(5), verdict::duplicate);
  EXPECT_EQ(check.missing(5), 2u);
}

TEST(SequenceCheck, IgnoresWhatIsNotOwed) {
  sequence_check check;
  check.start(10);
  EXPECT_EQ(check.see(9), verdict::not_owed);
  EXPECT_EQ(check.see(10), verdict::in_order);
}

TEST(SequenceCheck, DigestsTheOrder) {
  sequence_check straight;
  sequence_check same;
  sequence_check swapped;
  for (auto* const check : {&straight, &same, &swapped})
    check->start(1);
  for (const event_number n : {1, 2, 3}) {
    straight.see(n);
    same.see(n);
  }
  for (const event_number n : {1, 3, 2})
    swapped.see(n);
  EXPECT_EQ(straight.order(), same.order());
  EXPECT_NE(straight.order(), swapped.order());
}

TEST(SequenceCheck, AgreesWithASetOfAllNumbers) {
  std::mt19937 random{11};
  for (int round = 0; round < 200; ++round) {
    const event_number first = 1 + random() % 5;
    sequence_check check;
    check.start(first);
    std::set<event_number> seen;
    for (int i = 0; i < 60; ++i) {
      const event_number number = 1 + random() % 40;
      const auto highest = seen.empty() ? first - 1 : *seen.rbegin();
      auto expected = verdict::in_order;
      if (number < first)
        expected = verdict::not_owed;
      else if (seen.count(number) > 0)
        expected = verdict::duplicate;
      else if (number < highest)
        expected = verdict::out_of_order;
      ASSERT_EQ(check.see(number), expected);
      if (number >= first)
        seen.insert(number);
      ASSERT_EQ(check.missing(50), 50 - first + 1 - seen.size());
    }
  }
}

} // namespace
} // namespace herald::bench
