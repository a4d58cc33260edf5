#include "actors/audience/audience_index.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace herald {
namespace {

using texts = std::vector<std::string>;
using members = std::vector<audience_index::member>;
using key_kind = audience_index::key_kind;

reach with_patterns(texts patterns) {
  reach hears;
  hears.patterns = std::move(patterns);
  return hears;
}

audience of_topics(texts topics) {
  audience to;
  to.topics = std::move(topics);
  return to;
}

class AudienceIndex : public ::testing::Test {
protected:
  ~AudienceIndex() override { EXPECT_EQ(index.check(), std::nullopt); }

  members found(const audience& to) const {
    members result;
    index.find(to, result);
    EXPECT_EQ(index.count(to), result.size());
    return result;
  }
  members on_topic(const std::string& topic) const { return found(of_topics({topic})); }
  members with_key(key_kind which, std::string_view name) const {
    members result;
    index.find_key(which, name, result);
    EXPECT_EQ(index.count_key(which, name), result.size());
    return result;
  }
  /// All patterns, so many at a time.
  texts listed(std::size_t limit) const {
    texts result;
    std::uint64_t after = 0;
    for (;;) {
      const auto page = index.patterns(after, limit);
      if (page.empty())
        return result;
      for (const auto& one : page)
        result.push_back(one.pattern);
      after = page.back().cursor;
    }
  }

  audience_index index;
};

TEST_F(AudienceIndex, FindsWhoAsksForATopicAndWhoAsksForWhatCoversIt) {
  index.set(4, with_patterns({"orders/42"}));
  index.set(3, with_patterns({"orders/42/*"}));
  index.set(2, with_patterns({"orders/*"}));
  index.set(1, with_patterns({"*"}));
  EXPECT_EQ(on_topic("orders/42"), (members{1, 2, 4}));
  EXPECT_EQ(on_topic("orders/42/status"), (members{1, 2, 3}));
  EXPECT_EQ(on_topic("orders"), members{1});
  EXPECT_EQ(on_topic("orders/4"), (members{1, 2}));
  EXPECT_EQ(on_topic("order/42"), members{1});
}

TEST_F(AudienceIndex, KeepsWhatIsHeraldsOwnFromThoseWhoAskForEverything) {
  index.set(1, with_patterns({"*"}));
  index.set(2, with_patterns({"$herald/*"}));
  EXPECT_EQ(on_topic("$herald/streams"), members{2});
}

TEST_F(AudienceIndex, FindsEachMemberOnceInRisingOrder) {
  for (audience_index::member who : {9, 7, 5, 3}) {
    auto hears = with_patterns({"a", "b", "*"});
    hears.subject = "s";
    hears.roles = {"r"};
    index.set(who, hears);
  }
  auto to = of_topics({"a", "b", "c"});
  to.subject = "s";
  to.role = "r";
  EXPECT_EQ(found(to), (members{3, 5, 7, 9}));
  members into = {100, 1};
  index.find(to, into);
  EXPECT_EQ(into, (members{100, 1, 3, 5, 7, 9})) << "appended, what was there stays as it is";
}

TEST_F(AudienceIndex, KeepsSubjectsRolesAndPatternsOfOneNameApart) {
  index.set(1, with_patterns({"x"}));
  reach hears;
  hears.subject = "x";
  index.set(2, hears);
  hears = {};
  hears.roles = {"x", "y"};
  index.set(3, hears);
  audience to;
  to.subject = "x";
  EXPECT_EQ(found(to), members{2});
  to = {};
  to.role = "x";
  EXPECT_EQ(found(to), members{3});
  EXPECT_EQ(on_topic("x"), members{1});
  EXPECT_EQ(with_key(key_kind::pattern, "x"), members{1});
  EXPECT_EQ(with_key(key_kind::subject, "x"), members{2});
  EXPECT_EQ(with_key(key_kind::role, "y"), members{3});
}

TEST_F(AudienceIndex, FindsAVeryPatternWithoutWhatItCovers) {
  index.set(1, with_patterns({"a/*"}));
  index.set(2, with_patterns({"a/b"}));
  EXPECT_EQ(with_key(key_kind::pattern, "a/*"), members{1});
  EXPECT_EQ(with_key(key_kind::pattern, "a/b"), members{2});
  EXPECT_EQ(with_key(key_kind::pattern, "a"), members{});
}

TEST_F(AudienceIndex, FindsNobodyForPagesAndForEveryone) {
  index.set(1, with_patterns({"*"}));
  audience to;
  EXPECT_EQ(found(to), members{});
  to.page = request_id{"p"};
  to.except = {request_id{"q"}};
  EXPECT_EQ(found(to), members{});
}

TEST_F(AudienceIndex, ReplacesWhatAMemberHeard) {
  index.set(1, with_patterns({"a", "b"}));
  index.set(2, with_patterns({"b"}));
  index.set(1, with_patterns({"b", "c"}));
  EXPECT_EQ(on_topic("a"), members{});
  EXPECT_EQ(on_topic("b"), (members{1, 2}));
  EXPECT_EQ(on_topic("c"), members{1});
  EXPECT_EQ(index.subscriptions(), 3u);
  EXPECT_EQ(index.pattern_total(), 2u);
}

TEST_F(AudienceIndex, CountsWhatIsAskedForTwiceOnce) {
  auto hears = with_patterns({"a", "a"});
  hears.roles = {"r", "r"};
  index.set(1, hears);
  EXPECT_EQ(index.subscriptions(), 2u);
  EXPECT_EQ(on_topic("a"), members{1});
  EXPECT_EQ(index.reach_of(1).roles, texts{"r"});
}

TEST_F(AudienceIndex, GivesTheNumberOfAMemberThatHasGoneToAnother) {
  index.set(1, with_patterns({"a"}));
  index.remove(1);
  EXPECT_EQ(on_topic("a"), members{});
  index.set(1, with_patterns({"b"}));
  EXPECT_EQ(on_topic("a"), members{});
  EXPECT_EQ(on_topic("b"), members{1});
}

TEST_F(AudienceIndex, IgnoresTheRemovalOfAMemberWithoutAnything) {
  index.remove(1);
  index.set(1, {});
  index.remove(1);
  EXPECT_EQ(index.subscriptions(), 0u);
}

TEST_F(AudienceIndex, TellsWhatAMemberHears) {
  auto hears = with_patterns({"b", "a"});
  hears.page = request_id{"p"};
  hears.subject = "s";
  hears.roles = {"z", "y"};
  hears.broadcast = false;
  index.set(7, hears);
  hears.page = {};
  hears.patterns = {"a", "b"};
  hears.roles = {"y", "z"};
  EXPECT_EQ(index.reach_of(7), hears);
  EXPECT_EQ(index.reach_of(8), reach{});
}

TEST_F(AudienceIndex, KnowsWhoDoesNotHearBroadcasts) {
  reach hears;
  hears.broadcast = false;
  index.set(1, hears);
  hears.patterns = {"a"};
  index.set(2, hears);
  index.set(3, with_patterns({"a"}));
  EXPECT_EQ(index.without_broadcast(), 2u);
  EXPECT_FALSE(index.hears_broadcast(1));
  EXPECT_FALSE(index.hears_broadcast(2));
  EXPECT_TRUE(index.hears_broadcast(3));
  EXPECT_TRUE(index.hears_broadcast(4));
  index.set(1, {});
  index.set(2, with_patterns({"a"}));
  EXPECT_EQ(index.without_broadcast(), 0u);
  EXPECT_TRUE(index.hears_broadcast(1));
  index.set(3, hears);
  index.remove(3);
  EXPECT_EQ(index.without_broadcast(), 0u);
}

TEST_F(AudienceIndex, ListsPatternsWithTheirMembers) {
  index.set(1, with_patterns({"a", "b"}));
  auto hears = with_patterns({"b", "c"});
  hears.subject = "s";
  hears.roles = {"r"};
  index.set(2, hears);
  EXPECT_EQ(index.pattern_total(), 3u);
  for (std::size_t limit = 1; limit < 5; ++limit) {
    auto all = listed(limit);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, (texts{"a", "b", "c"})) << limit;
  }
  for (const auto& one : index.patterns(0, 10))
    EXPECT_EQ(one.members, one.pattern == "b" ? 2u : 1u) << one.pattern;
  EXPECT_TRUE(index.patterns(0, 0).empty());
  EXPECT_TRUE(index.patterns(~std::uint64_t{0}, 10).empty());
}

TEST_F(AudienceIndex, FindsManyMembersWhereverTheirNumbersLie) {
  for (const audience_index::member apart : {1, 3, 64, 100'000}) {
    audience_index many;
    members all;
    for (audience_index::member i = 0; i < 1'000; ++i)
      all.push_back(i * apart);
    for (auto left = all.size(); left > 0; --left) {
      const auto who = all[left - 1];
      many.set(who, with_patterns(who % 2 == 0 ? texts{"a/b", "a/*"} : texts{"a/*"}));
    }
    members into;
    many.find(of_topics({"a/b"}), into);
    EXPECT_EQ(into, all) << apart;
    EXPECT_EQ(many.count(of_topics({"a/b"})), all.size());
  }
}

/// A cursor is a place: the highest tells how many places there are.
TEST_F(AudienceIndex, TakesNoMorePlacesHoweverMuchChanges) {
  std::mt19937 random{1};
  const auto some = [&] {
    texts patterns;
    for (int i = 0; i < 10; ++i)
      patterns.push_back("topic/" + std::to_string(random()));
    return with_patterns(std::move(patterns));
  };
  for (audience_index::member who = 0; who < 100; ++who)
    index.set(who, some());
  for (int i = 0; i < 100'000; ++i) {
    if (random() % 4 == 0)
      index.remove(random() % 100);
    else
      index.set(random() % 100, some());
  }
  for (audience_index::member who = 0; who < 100; ++who)
    index.set(who, some());
  EXPECT_EQ(index.subscriptions(), 1'000u);
  // While a member changes it has its former patterns and the new ones.
  EXPECT_LE(index.patterns(0, 10'000).back().cursor, 1'010u);
}

TEST_F(AudienceIndex, LeavesNothingBehindWhenAllHaveGone) {
  for (audience_index::member who = 0; who < 1'000; ++who)
    index.set(who, with_patterns({"a", "b/*", "c/" + std::to_string(who % 10)}));
  for (audience_index::member who = 0; who < 1'000; ++who)
    index.remove(who * 7 % 1'000);
  EXPECT_EQ(index.subscriptions(), 0u);
  EXPECT_EQ(index.pattern_total(), 0u);
  EXPECT_TRUE(index.patterns(0, 10).empty());
  EXPECT_EQ(on_topic("a"), members{});
}

TEST_F(AudienceIndex, SaysAboutWhatItTakes) {
  EXPECT_EQ(index.bytes(), 0u);
  const auto hears = with_patterns({"orders/*", std::string(200, 'x')});
  index.set(1, hears);
  EXPECT_EQ(index.bytes(), audience_index::cost(hears));
  EXPECT_GT(index.bytes(), 208u);
  index.set(2, hears);
  EXPECT_LT(index.bytes(), audience_index::cost(hears) + 100) << "names are shared";
  index.remove(1);
  index.remove(2);
  EXPECT_EQ(index.bytes(), 0u);
  EXPECT_EQ(audience_index::cost({}), 0u);
}

TEST_F(AudienceIndex, CountsSubjectAndRolesAsTopics) {
  reach hears;
  hears.subject = std::string(100, 's');
  hears.roles = {std::string(100, 'a'), std::string(100, 'b')};
  index.set(1, hears);
  EXPECT_EQ(index.bytes(), audience_index::cost(hears));
  EXPECT_GT(index.bytes(), 300u);
}

} // namespace
} // namespace herald
