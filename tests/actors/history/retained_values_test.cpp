#include "actors/history/retained_values.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class RetainedValues : public ::testing::Test {
protected:
  using texts = std::vector<std::string>;

  kept_event value(const char* topic, std::uint64_t id, std::chrono::milliseconds ttl = 0ms) const {
    auto made = std::make_shared<event>();
    made->id = {id};
    made->data = std::to_string(id);
    audience to;
    to.topics.emplace_back(topic);
    return {std::move(made), std::make_shared<const audience>(std::move(to)), ttl, now};
  }

  static draft said(const char* topic, std::size_t bytes = 1) {
    draft d;
    d.data.assign(bytes, 'x');
    audience to;
    to.topics.emplace_back(topic);
    d.to = std::make_shared<const audience>(std::move(to));
    d.value = retention::keep;
    return d;
  }

  texts heard(const texts& patterns, std::uint64_t after = 0, std::uint64_t upto = 1000) const {
    texts result;
    for (const auto& one : values.select(patterns, {after}, {upto}, now).values)
      result.push_back(one.what->data);
    return result;
  }

  void TearDown() override { EXPECT_EQ(values.check(), std::nullopt); }

  retained_values::time_point now{1h};
  retained_values values{{3, 100'000, 2}};
};

TEST_F(RetainedValues, GivesTheLastOfEachTopicThatAPatternHears) {
  values.keep(value("orders/1", 1));
  values.keep(value("orders/2", 2));
  values.keep(value("orders/1", 3));
  values.keep(value("order", 4));
  EXPECT_EQ(heard({"orders/*"}), (texts{"2", "3"}));
  EXPECT_EQ(heard({"orders/1"}), (texts{"3"}));
  EXPECT_EQ(heard({"orders"}), texts{});
  EXPECT_EQ(heard({"order", "nothing/*"}), (texts{"4"}));
  EXPECT_EQ(values.size(), 3u);
}

TEST_F(RetainedValues, GivesOnceWhatSeveralPatternsHear) {
  values.keep(value("a/b", 1));
  EXPECT_EQ(heard({"*", "a/*", "a/b"}), (texts{"1"}));
}

TEST_F(RetainedValues, GivesTheNewestInTheirOrderAndSaysThatThereAreMore) {
  values.keep(value("a", 3));
  values.keep(value("b", 1));
  values.keep(value("c", 2));
  const auto found = values.select(texts{"*"}, {0}, {1000}, now);
  EXPECT_TRUE(found.more);
  EXPECT_EQ(heard({"*"}), (texts{"2", "3"}));
  EXPECT_FALSE(values.select(texts{"a", "b"}, {0}, {1000}, now).more);
}

TEST_F(RetainedValues, LeavesOutWhatWasBeforeAndWhatComesLater) {
  values.keep(value("a", 5));
  EXPECT_EQ(heard({"a"}, 4, 5), (texts{"5"}));
  EXPECT_EQ(heard({"a"}, 5, 9), texts{});
  EXPECT_EQ(heard({"a"}, 0, 4), texts{});
}

TEST_F(RetainedValues, ForgetsOnDemandAndInTime) {
  values.keep(value("a", 1, 10s));
  values.keep(value("b", 2));
  now += 10s;
  EXPECT_EQ(heard({"*"}), (texts{"2"})) << "also before it is forgotten";
  EXPECT_EQ(values.expire(now), (texts{"a"}));
  values.forget("b");
  values.forget("unknown");
  EXPECT_EQ(values.size(), 0u);
  EXPECT_EQ(values.bytes(), 0u);
}

TEST_F(RetainedValues, HoldsAValueForItsOwnTimeAndNotForItsPredecessors) {
  values.keep(value("a", 1, 10s));
  values.keep(value("a", 2));
  EXPECT_TRUE(values.expire(now + 1h).empty());
  values.keep(value("a", 3, 5s));
  EXPECT_EQ(values.expire(now + 5s), (texts{"a"}));
}

TEST_F(RetainedValues, NamesTheLimitThatDraftsWouldPass) {
  values.keep(value("a", 1));
  values.keep(value("b", 2));
  EXPECT_EQ(values.violation(std::vector{said("c"), said("a"), said("c")}), std::nullopt);
  const auto topics = values.violation(std::vector{said("c"), said("d")});
  ASSERT_TRUE(topics);
  EXPECT_NE(topics->find("retain.max_topics"), std::string::npos);
  const auto bytes = values.violation(std::vector{said("a", 200'000)});
  ASSERT_TRUE(bytes);
  EXPECT_NE(bytes->find("retain.max_bytes"), std::string::npos);
  auto plain = said("d", 200'000);
  plain.value = retention::none;
  EXPECT_EQ(values.violation(std::vector{plain}), std::nullopt);
}

TEST_F(RetainedValues, TakesExactlyTheBytesThatThereIsRoomFor) {
  values.keep(value("a", 1));
  const retained_values exact{{3, values.bytes(), 2}};
  EXPECT_EQ(exact.violation(std::vector{said("a", 1)}), std::nullopt);
  EXPECT_TRUE(exact.violation(std::vector{said("a", 2)}));
}

TEST_F(RetainedValues, CountsTheLastOfSeveralDraftsForATopic) {
  EXPECT_EQ(values.violation(std::vector{said("a", 200'000), said("a")}), std::nullopt);
  EXPECT_TRUE(values.violation(std::vector{said("a"), said("a", 200'000)}));
}

TEST_F(RetainedValues, TakesAnotherValueOfATopicAlsoWhenItIsFull) {
  for (const auto* topic : {"a", "b", "c"})
    values.keep(value(topic, 1));
  EXPECT_EQ(values.violation(std::vector{said("b")}), std::nullopt);
}

TEST_F(RetainedValues, AgreesWithItselfWhateverIsDone) {
  std::mt19937_64 random{7};
  const char* const topics[] = {"a", "a/b", "a/c", "d"};
  for (std::uint64_t i = 1; i < 5000; ++i) {
    const auto* topic = topics[random() % 4];
    switch (random() % 4) {
    case 0:
      values.forget(topic);
      break;
    case 1:
      now += 1s;
      (void)values.expire(now);
      break;
    default:
      values.keep(value(topic, i, std::chrono::seconds{random() % 3}));
    }
    ASSERT_EQ(values.check(), std::nullopt);
  }
}

} // namespace
} // namespace herald
