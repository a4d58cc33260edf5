#include "actors/supervision/stash.hpp"

#include <caf/make_message.hpp>
#include <gtest/gtest.h>

namespace herald {
namespace {

class Stash : public ::testing::Test {
protected:
  static caf::mailbox_element_ptr letter(int number) {
    return caf::make_mailbox_element(
      nullptr, caf::make_message_id(), {}, caf::make_message(number));
  }

  static int number_of(const caf::mailbox_element_ptr& letter) {
    return letter->content().get_as<int>(0);
  }

  int take() { return number_of(kept.pop_front().letter); }

  stash kept;
};

TEST_F(Stash, GivesWhatCameInItsOrder) {
  for (int i = 1; i <= 3; ++i)
    kept.push_back(letter(i), i == 2);
  EXPECT_EQ(kept.size(), 3u);
  EXPECT_EQ(take(), 1);
  EXPECT_EQ(take(), 2);
  EXPECT_EQ(take(), 3);
  EXPECT_TRUE(kept.empty());
}

TEST_F(Stash, GivesTheFirstThatMayBeRefused) {
  for (int i = 1; i <= 4; ++i)
    kept.push_back(letter(i), i % 2 == 0);
  EXPECT_EQ(number_of(kept.pop_refusable()), 2);
  EXPECT_EQ(take(), 1);
  EXPECT_EQ(take(), 3);
  EXPECT_EQ(number_of(kept.pop_refusable()), 4);
  EXPECT_EQ(kept.pop_refusable(), nullptr);
  EXPECT_TRUE(kept.empty());
}

TEST_F(Stash, ForgetsThatAMessageMayBeRefusedOnceItIsTaken) {
  kept.push_back(letter(1), true);
  kept.push_back(letter(2), true);
  EXPECT_EQ(take(), 1);
  EXPECT_EQ(number_of(kept.pop_refusable()), 2);
  EXPECT_EQ(kept.pop_refusable(), nullptr);
}

TEST_F(Stash, PutsARepeatedMessageInFront) {
  kept.push_back(letter(1), true);
  kept.push_front({letter(0), 2});
  const auto first = kept.pop_front();
  EXPECT_EQ(number_of(first.letter), 0);
  EXPECT_EQ(first.failures, 2u);
  const auto second = kept.pop_front();
  EXPECT_EQ(number_of(second.letter), 1);
  EXPECT_EQ(second.failures, 0u);
}

} // namespace
} // namespace herald
