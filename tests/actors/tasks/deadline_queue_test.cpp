#include "actors/tasks/deadline_queue.hpp"

#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

using book = deadline_queue<std::string>;

book::time_point at(int seconds) {
  return book::time_point{} + std::chrono::seconds{seconds};
}

TEST(DeadlineQueue, GivesWhatIsDueInTheOrderOfTime) {
  book a;
  a.set("late", at(3));
  a.set("early", at(1));
  a.set("middle", at(2));
  EXPECT_EQ(a.next(), at(1));
  EXPECT_EQ(a.take_due(at(0)), std::nullopt);
  EXPECT_EQ(a.take_due(at(2)), "early");
  EXPECT_EQ(a.take_due(at(2)), "middle");
  EXPECT_EQ(a.take_due(at(2)), std::nullopt);
  EXPECT_EQ(a.next(), at(3));
}

TEST(DeadlineQueue, HasOneMomentForAKey) {
  book a;
  a.set("x", at(1));
  a.set("x", at(5));
  EXPECT_EQ(a.next(), at(5));
  a.set("x", at(2));
  a.set("x", at(2));
  EXPECT_EQ(a.take_due(at(9)), "x");
  EXPECT_EQ(a.take_due(at(9)), std::nullopt);
  EXPECT_EQ(a.next(), std::nullopt);
}

TEST(DeadlineQueue, ForgetsWhatIsDropped) {
  book a;
  a.set("x", at(1));
  EXPECT_TRUE(a.drop("x"));
  EXPECT_FALSE(a.drop("x"));
  EXPECT_FALSE(a.drop("never"));
  EXPECT_EQ(a.next(), std::nullopt);
}

TEST(DeadlineQueue, AgreesWithANaiveOne) {
  std::mt19937 random{1};
  const auto below = [&](int n) {
    return std::uniform_int_distribution<int>{0, n - 1}(random);
  };
  book a;
  std::map<std::string, book::time_point> model;
  for (int step = 0; step < 5000; ++step) {
    const std::string key{static_cast<char>('a' + below(8))};
    switch (below(3)) {
    case 0: {
      const auto when = at(below(20));
      a.set(key, when);
      model[key] = when;
      break;
    }
    case 1:
      EXPECT_EQ(a.drop(key), model.erase(key) == 1);
      break;
    default: {
      const auto now = at(below(20));
      const auto taken = a.take_due(now);
      auto first = model.end();
      for (auto it = model.begin(); it != model.end(); ++it)
        if (it->second <= now && (first == model.end() || it->second < first->second))
          first = it;
      ASSERT_EQ(taken.has_value(), first != model.end());
      if (taken) {
        EXPECT_EQ(*taken, first->first);
        model.erase(first);
      }
    }
    }
    auto earliest = model.begin();
    for (auto it = model.begin(); it != model.end(); ++it)
      if (it->second < earliest->second)
        earliest = it;
    ASSERT_EQ(a.next().has_value(), !model.empty());
    if (!model.empty()) {
      ASSERT_EQ(a.next(), earliest->second);
    }
  }
}

} // namespace
} // namespace herald
