#include "messages/audience.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace herald {
namespace {

using texts = std::vector<std::string>;
using violation = std::optional<std::string_view>;

constexpr std::string_view empty = "must not be empty";
constexpr std::string_view too_long = "must be at most 255 bytes";
constexpr std::string_view not_utf8 = "must be UTF-8";
constexpr std::string_view hidden = "must not contain control or format characters";
constexpr std::string_view empty_segment = "must not have an empty segment";
constexpr std::string_view too_deep = "must have at most 16 segments";
constexpr std::string_view star_in_topic =
  "must not have a segment *, which is for those who listen";
constexpr std::string_view star_inside = "may have a segment * at its end only";
constexpr std::string_view heralds_own = "must not start with $, which is for herald's own";

/// Shows what follows from right to left.
constexpr const char* override_mark = "\xe2\x80\xae"; // NOLINT(misc-misleading-bidirectional)

/// So many segments of one letter.
std::string deep(std::size_t segments) {
  std::string text = "a";
  for (std::size_t i = 1; i < segments; ++i)
    text += "/a";
  return text;
}

TEST(Topic, ObeysRulesThatAreNamed) {
  const struct {
    std::string text;
    violation of_topic;
    violation of_pattern;
  } cases[] = {
    {"a", {}, {}},
    {"orders/42/status", {}, {}},
    {"a b/\xc3\xa9t\xc3\xa9/\xe6\x97\xa5", {}, {}},
    {".", {}, {}},
    {"a:b?c=d#e+f", {}, {}},
    {std::string(255, 'x'), {}, {}},
    {std::string(256, 'x'), too_long, too_long},
    {"", empty, empty},
    {deep(16), {}, {}},
    {deep(17), too_deep, too_deep},
    {deep(15) + "/*", star_in_topic, {}},
    {deep(16) + "/*", star_in_topic, too_deep},
    {"/", empty_segment, empty_segment},
    {"/a", empty_segment, empty_segment},
    {"a/", empty_segment, empty_segment},
    {"a//b", empty_segment, empty_segment},
    {"//*", empty_segment, empty_segment},
    {"*", star_in_topic, {}},
    {"a/*", star_in_topic, {}},
    {"a/*/b", star_in_topic, star_inside},
    {"*/a", star_in_topic, star_inside},
    {"*/*", star_in_topic, star_inside},
    {"a/*/", star_in_topic, star_inside},
    {"a*", {}, {}},
    {"*a/b", {}, {}},
    {"a/**", {}, {}},
    {"a/x*y/b", {}, {}},
    {"$a", heralds_own, {}},
    {"$", heralds_own, {}},
    {"$a/*", heralds_own, {}},
    {"a/$b", {}, {}},
    {"a$", {}, {}},
    {"a\xe2\x80\x8b", hidden, hidden},
    {std::string(override_mark) + "a/b", hidden, hidden},
    {"a\xc2\xad/b", hidden, hidden},
    {"a/\xc2\x85", hidden, hidden},
    {"a/\xe2\x80\xa8", hidden, hidden},
    {"a\n", hidden, hidden},
    {std::string("a\0b", 3), hidden, hidden},
    {"a\x7f", hidden, hidden},
    {"a\xff", not_utf8, not_utf8},
    {"\xc3", not_utf8, not_utf8},
    {"a/\xed\xa0\x80", not_utf8, not_utf8},
    {"a/\xc0\xaf", not_utf8, not_utf8},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(topic_violation(c.text), c.of_topic) << c.text;
    EXPECT_EQ(pattern_violation(c.text), c.of_pattern) << c.text;
  }
}

TEST(Topic, OfHeraldsOwnIsNoneToPublishToAndOneToAskFor) {
  EXPECT_NE(topic_violation("$herald/streams"), std::nullopt);
  EXPECT_EQ(pattern_violation("$herald/streams"), std::nullopt);
  EXPECT_EQ(pattern_violation("$herald/*"), std::nullopt);
}

TEST(Principal, IsAnyTextThatIsSeen) {
  for (const auto* good : {"a", "alice@example.org", "a/*", "*", "$a", "a:b", " ", "\xc3\xa9"})
    EXPECT_EQ(principal_violation(good), std::nullopt) << good;
  EXPECT_EQ(principal_violation(std::string(255, 'x')), std::nullopt);
  EXPECT_EQ(principal_violation(std::string(256, 'x')), too_long);
  EXPECT_EQ(principal_violation(""), empty);
  EXPECT_EQ(principal_violation("a\xff"), not_utf8);
  for (const auto* bad : {"a\n", "\xe2\x80\x8b", override_mark, "\xc2\xad", "\xc2\x9f"})
    EXPECT_EQ(principal_violation(bad), hidden) << bad;
}

texts patterns_of(std::string_view topic) {
  texts result;
  for_each_pattern_of(
    topic, [&](std::string_view pattern) { result.emplace_back(std::string{pattern}); });
  return result;
}

TEST(PatternsOfATopic, ComeWithTheLongestFirst) {
  EXPECT_EQ(patterns_of("a"), (texts{"a", "*"}));
  EXPECT_EQ(patterns_of("a/b"), (texts{"a/b", "a/*", "*"}));
  EXPECT_EQ(
    patterns_of("orders/42/status"), (texts{"orders/42/status", "orders/42/*", "orders/*", "*"}));
}

TEST(PatternsOfATopic, LeaveOutAStarForWhatIsHeraldsOwn) {
  EXPECT_EQ(patterns_of("$a"), texts{"$a"});
  EXPECT_EQ(patterns_of("$a/b"), (texts{"$a/b", "$a/*"}));
  EXPECT_EQ(patterns_of("a/$b"), (texts{"a/$b", "a/*", "*"}));
}

TEST(Pattern, HearsItsTopicAndWithAStarWhatIsBelow) {
  const struct {
    const char* pattern;
    const char* topic;
    bool hears;
  } cases[] = {
    {"a", "a", true},          {"a", "b", false},          {"a", "a/b", false},
    {"a/b", "a", false},       {"a/*", "a/b", true},       {"a/*", "a/b/c", true},
    {"a/*", "a", false},       {"a/*", "ab/c", false},     {"a/b/*", "a/b/c", true},
    {"a/b/*", "a/b", false},   {"a/b/*", "a/c", false},    {"*", "a", true},
    {"*", "a/b", true},        {"*", "$a", false},         {"*", "$a/b", false},
    {"$a/*", "$a/b", true},    {"$a", "$a", true},         {"*", "a/$b", true},
    {"a*", "ab", false},       {"a*", "a*", true},         {"a/b*", "a/bc", false},
    {"a/b*/*", "a/b*", false}, {"a/b*/*", "a/b*/c", true}, {"A", "a", false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(pattern_hears(c.pattern, c.topic), c.hears) << c.pattern << " and " << c.topic;
}

TEST(Pattern, HearsTheTopicsThatItIsAPatternOf) {
  std::mt19937 random{1};
  const auto below = [&](unsigned n) {
    return std::uniform_int_distribution<unsigned>{0, n - 1}(random);
  };
  const auto some_topic = [&] {
    const texts segments = {"a", "b", "ab", "$a", "a*", "**"};
    auto text = segments[below(6)];
    for (auto more = below(4); more > 0; --more)
      text += "/" + segments[below(6)];
    return text;
  };
  std::size_t heard = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto topic = some_topic();
    const auto pattern = below(8) == 0 ? "*" : some_topic() + (below(2) == 0 ? "/*" : "");
    ASSERT_EQ(pattern_violation(pattern), std::nullopt) << pattern;
    const auto all = patterns_of(topic);
    const bool listed = std::find(all.begin(), all.end(), pattern) != all.end();
    ASSERT_EQ(pattern_hears(pattern, topic), listed) << pattern << " and " << topic;
    heard += listed ? 1 : 0;
  }
  EXPECT_GT(heard, 1'000u);
}

class Reach : public ::testing::Test {
protected:
  Reach() {
    hears.page = request_id{"p"};
    hears.subject = "alice";
    hears.roles = {"editor", "admin"};
    hears.patterns = {"orders/42", "news/*"};
  }

  bool heard(const audience& to) const { return hears.hears(std::make_shared<const audience>(to)); }
  bool heard_on(texts topics) const {
    audience to;
    to.topics = std::move(topics);
    return heard(to);
  }
  static audience to_page(const char* page) {
    audience to;
    to.page = request_id{page};
    return to;
  }
  static audience to_subject(const char* subject) {
    audience to;
    to.subject = subject;
    return to;
  }
  static audience to_role(const char* role) {
    audience to;
    to.role = role;
    return to;
  }

  reach hears;
};

TEST_F(Reach, HasItsPage) {
  EXPECT_TRUE(heard(to_page("p")));
  EXPECT_FALSE(heard(to_page("q")));
  EXPECT_TRUE(hears.hears(audience_of_page(request_id{"p"})));
}

TEST_F(Reach, HasItsSubjectAndItsRoles) {
  EXPECT_TRUE(heard(to_subject("alice")));
  EXPECT_FALSE(heard(to_subject("bob")));
  EXPECT_FALSE(heard(to_subject("editor")));
  EXPECT_TRUE(heard(to_role("editor")));
  EXPECT_TRUE(heard(to_role("admin")));
  EXPECT_FALSE(heard(to_role("alice")));
}

TEST_F(Reach, HasTheTopicsThatItsPatternsHear) {
  EXPECT_TRUE(heard_on({"orders/42"}));
  EXPECT_FALSE(heard_on({"orders/43"}));
  EXPECT_TRUE(heard_on({"news/a/b"}));
  EXPECT_FALSE(heard_on({"news"}));
  EXPECT_TRUE(heard_on({"other", "news/a"}));
}

TEST_F(Reach, HasWhatIsForAnyOfSeveral) {
  auto to = to_page("q");
  to.subject = "bob";
  to.role = "nobody";
  to.topics = {"other"};
  EXPECT_FALSE(heard(to));
  for (const auto change : {0, 1, 2, 3}) {
    auto other = to;
    if (change == 0)
      other.page = request_id{"p"};
    else if (change == 1)
      other.subject = "alice";
    else if (change == 2)
      other.role = "admin";
    else
      other.topics.emplace_back("news/a");
    EXPECT_TRUE(heard(other)) << change;
  }
}

TEST_F(Reach, HasWhatIsForEveryone) {
  EXPECT_TRUE(hears.hears(nullptr));
  EXPECT_TRUE(heard({}));
  EXPECT_TRUE(reach{}.hears(nullptr));
}

TEST_F(Reach, WithoutBroadcastHasWhatIsMeantForItOnly) {
  hears.broadcast = false;
  EXPECT_FALSE(hears.hears(nullptr));
  EXPECT_FALSE(heard({}));
  audience but_others;
  but_others.except = {request_id{"q"}};
  EXPECT_FALSE(heard(but_others)) << "everyone but somebody is everyone";
  EXPECT_TRUE(heard(to_page("p")));
  EXPECT_TRUE(heard(to_subject("alice")));
  EXPECT_TRUE(heard_on({"news/a"}));
}

TEST_F(Reach, LacksWhatItsPageIsLeftOutOf) {
  for (auto to : {audience{}, to_page("p"), to_subject("alice"), to_role("editor")}) {
    to.except = {request_id{"q"}};
    EXPECT_TRUE(heard(to));
    to.except.emplace_back("p");
    EXPECT_FALSE(heard(to));
  }
}

TEST_F(Reach, OfAStreamThatAsksForNothingIsItsPageAndEveryone) {
  reach plain;
  plain.page = request_id{"p"};
  EXPECT_TRUE(plain.plain());
  EXPECT_TRUE(plain.hears(nullptr));
  EXPECT_TRUE(plain.hears(audience_of_page(request_id{"p"})));
  EXPECT_FALSE(plain.hears(std::make_shared<const audience>(to_subject("alice"))));
  EXPECT_FALSE(hears.plain());
  plain.broadcast = false;
  EXPECT_FALSE(plain.plain());
}

TEST(ReachWithoutNames, IsNotWhatNobodyIsNamedFor) {
  // Whoever has no page, subject or role is not the one of an audience that names none.
  audience to;
  to.topics = {"a"};
  EXPECT_FALSE(reach{}.hears(std::make_shared<const audience>(to)));
}

TEST(Audience, IsForEveryoneUnlessItNamesSomebody) {
  audience to;
  EXPECT_TRUE(to.everyone());
  to.except = {request_id{"p"}};
  EXPECT_TRUE(to.everyone());
  EXPECT_FALSE(to.only_page());
  to.topics = {"a"};
  EXPECT_FALSE(to.everyone());
}

TEST(Audience, KnowsWhetherItIsOnePageOnly) {
  const auto page = audience_of_page(request_id{"p"});
  EXPECT_TRUE(page->only_page());
  EXPECT_FALSE(page->everyone());
  auto more = *page;
  more.except = {request_id{"q"}};
  EXPECT_FALSE(more.only_page());
  more = *page;
  more.role = "r";
  EXPECT_FALSE(more.only_page());
}

TEST(Audience, CountsTheBytesOfItsTexts) {
  audience to;
  EXPECT_EQ(to.bytes(), 0u);
  to.page = request_id{"1"};
  to.subject = "22";
  to.role = "333";
  to.topics = {"4444", "55555"};
  to.except = {request_id{"666666"}, request_id{"7777777"}};
  EXPECT_EQ(to.bytes(), 28u);
}

} // namespace
} // namespace herald
