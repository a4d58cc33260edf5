#include "actors/audience/posting_list.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using member = posting_list::member;

void add(posting_list& list, member who) {
  list.reserve_one();
  list.push(who);
}

std::vector<member> all(const posting_list& list) {
  return {list.members().begin(), list.members().end()};
}

TEST(PostingList, TellsWhereAMemberIs) {
  posting_list list;
  for (member who = 0; who < 100; ++who) {
    list.reserve_one();
    EXPECT_EQ(list.push(who * 7), who);
  }
  for (member who = 0; who < 100; ++who)
    EXPECT_EQ(list.members()[who], who * 7);
}

TEST(PostingList, MovesTheLastIntoTheHole) {
  posting_list list;
  for (member who : {10, 11, 12, 13})
    add(list, who);
  EXPECT_EQ(list.remove_at(1), 13u);
  EXPECT_EQ(all(list), (std::vector<member>{10, 13, 12}));
  EXPECT_EQ(list.remove_at(2), std::nullopt) << "the last one leaves no hole";
  EXPECT_EQ(list.remove_at(0), 13u);
  EXPECT_EQ(list.remove_at(0), std::nullopt);
  EXPECT_TRUE(list.empty());
}

TEST(PostingList, HasRoomForTwoWithoutAnArray) {
  EXPECT_LE(sizeof(posting_list), 16u);
  posting_list list;
  add(list, 1);
  add(list, 2);
  EXPECT_EQ(list.capacity(), 2u);
}

TEST(PostingList, GivesBackWhatHasBecomeMuchTooLarge) {
  posting_list list;
  for (member who = 0; who < 10'000; ++who)
    add(list, who);
  EXPECT_LT(list.capacity(), 12'600u) << "it grows by a quarter";
  for (std::uint32_t left = 10'000; left > 0; --left) {
    list.remove_at(left / 2);
    EXPECT_LE(list.capacity(), 2 * list.size() + 4) << left;
  }
  EXPECT_EQ(list.capacity(), 2u);
}

TEST(PostingList, IsAsLargeAfterMuchChangeAsBefore) {
  std::mt19937 random{1};
  posting_list list;
  for (member who = 0; who < 100; ++who)
    add(list, who);
  for (int i = 0; i < 100'000; ++i) {
    list.remove_at(random() % 100);
    add(list, random());
    ASSERT_LE(list.capacity(), 130u) << i;
  }
}

} // namespace
} // namespace herald
