#include "messages/wire/audience_json.hpp"

#include <gtest/gtest.h>

#include "messages/json/json_objects.hpp"

namespace herald {
namespace {

using texts = std::vector<std::string>;

caf::expected<audience_ptr> audience_in(std::string_view text) {
  return parse_object(text, [](json_reader& in) { return parse_audience(in); });
}

audience named(std::string_view text) {
  auto to = audience_in(text);
  if (!to || !*to) {
    ADD_FAILURE() << text;
    return {};
  }
  return **to;
}

std::string written(const audience_ptr& to) {
  object_writer out;
  audience_fields(out, to);
  return out.finish();
}

/// So many different topics.
std::string many_topics(std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i)
    list += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + '"';
  return R"({"topics":[)" + list + "]}";
}

TEST(ParseAudience, OfNobodyNamedIsEveryone) {
  const auto to = audience_in("{}");
  ASSERT_TRUE(to);
  EXPECT_EQ(*to, nullptr);
}

TEST(ParseAudience, ReadsWhoIsNamed) {
  const auto to =
    named(R"({"request_id":"p","topics":["a/b","c"],"subject":"s","role":"r","except":["q","z"]})");
  EXPECT_EQ(to.page, request_id{"p"});
  EXPECT_EQ(to.topics, (texts{"a/b", "c"}));
  EXPECT_EQ(to.subject, "s");
  EXPECT_EQ(to.role, "r");
  EXPECT_EQ(to.except, (std::vector<request_id>{request_id{"q"}, request_id{"z"}}));
}

TEST(ParseAudience, ReadsOneOfEachByItself) {
  EXPECT_TRUE(named(R"({"request_id":"p"})").only_page());
  EXPECT_EQ(named(R"({"topic":"a/b"})").topics, texts{"a/b"});
  EXPECT_EQ(named(R"({"subject":"s"})").subject, "s");
  EXPECT_EQ(named(R"({"role":"r"})").role, "r");
}

TEST(ParseAudience, OfAnExceptionAloneIsEveryoneElse) {
  const auto to = named(R"({"except":"q"})");
  EXPECT_TRUE(to.everyone());
  EXPECT_EQ(to.except, std::vector<request_id>{request_id{"q"}});
}

TEST(ParseAudience, CountsTheSameTwiceOnce) {
  const auto to = named(R"({"topics":["b","a","b"],"except":["q","q"]})");
  EXPECT_EQ(to.topics, (texts{"b", "a"}));
  EXPECT_EQ(to.except, std::vector<request_id>{request_id{"q"}});
}

TEST(ParseAudience, TakesSixteenTopics) {
  EXPECT_EQ(named(many_topics(16)).topics.size(), 16u);
  const auto more = audience_in(many_topics(17));
  ASSERT_FALSE(more);
  EXPECT_EQ(describe(more.error()).field, "topics");
}

TEST(ParseAudience, NamesTheFieldThatIsToBlame) {
  const struct {
    const char* text;
    const char* field;
    const char* detail;
  } cases[] = {
    {R"({"topic":"a","topics":["b"]})", "topics", "give either topic or topics, not both"},
    {R"({"topic":"a","topics":["a"]})", "topics", "give either topic or topics, not both"},
    {R"({"topic":"a/*"})", "topic", "must not have a segment *, which is for those who listen"},
    {R"({"topic":""})", "topic", "must not be empty"},
    {R"({"topic":["a"]})", "topic", "must be a string, not an array"},
    {R"({"topic":null})", "topic", "must be a string, not null"},
    {R"({"topics":"a"})", "topics", "must be an array, not a string"},
    {R"({"topics":[]})", "topics", "must not be empty"},
    {R"({"topics":["a","$b"]})", "topics[1]", "must not start with $, which is for herald's own"},
    {R"({"topics":["a","a//b"]})", "topics[1]", "must not have an empty segment"},
    {R"({"topics":["a","a",""]})", "topics[2]", "must not be empty"},
    {R"({"topics":["a",7]})", "topics[1]", "must be a string, not a number"},
    {R"({"subject":""})", "subject", "must not be empty"},
    {R"({"subject":"a\n"})", "subject", "must not contain control or format characters"},
    {R"({"subject":["a"]})", "subject", "must be a string, not an array"},
    {R"({"role":""})", "role", "must not be empty"},
    {R"({"role":"\u202e"})", "role", "must not contain control or format characters"},
    {R"({"role":null})", "role", "must be a string, not null"},
    {R"({"request_id":""})", "request_id", "must not be empty"},
    {R"({"except":""})", "except", "must not be empty"},
    {R"({"except":[]})", "except", "must not be empty"},
    {R"({"except":null})", "except", "must be a string, not null"},
    {R"({"except":["a","b:c"]})", "except[1]", "must not contain a colon"},
    {R"({"except":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"]})",
     "except", "must have at most 16 items"},
  };
  for (const auto& c : cases) {
    const auto to = audience_in(c.text);
    ASSERT_FALSE(to) << c.text;
    const auto why = describe(to.error());
    EXPECT_EQ(why.code, ec::invalid_field) << c.text;
    EXPECT_EQ(why.field, c.field) << c.text;
    EXPECT_EQ(why.detail, c.detail) << c.text;
  }
}

TEST(ParseAudience, KnowsNoOtherSpelling) {
  for (const auto* text : {R"({"subjects":["a"]})", R"({"Topic":"a"})", R"({"roles":["a"]})"}) {
    const auto to = audience_in(text);
    ASSERT_FALSE(to) << text;
    EXPECT_EQ(describe(to.error()).code, ec::unknown_field) << text;
  }
}

TEST(ParseAudience, BlamesThePathOfItsObject) {
  const auto shape =
    read_objects(R"([{},{},{"topics":["a","*"]}])", 9, [](json_reader& in, std::size_t) {
      (void)parse_audience(in);
      return in.finish();
    });
  ASSERT_FALSE(shape);
  EXPECT_EQ(describe(shape.error()).field, "[2].topics[1]");
}

TEST(AudienceFields, AreWhatWasRead) {
  for (
    const auto* text :
    {R"({})", R"({"request_id":"p"})", R"({"topic":"a/b"})", R"({"topics":["a","b"]})",
     R"({"subject":"s"})", R"({"role":"r"})", R"({"except":["q"]})",
     R"({"request_id":"\"p","topics":["\"a","b"],"subject":"\"s","role":"\"r","except":["\"q"]})"}) {
    const auto to = audience_in(text);
    ASSERT_TRUE(to) << text;
    EXPECT_EQ(written(*to), text);
  }
}

TEST(AudienceFields, GiveOneTopicAndExceptionsInOneWay) {
  EXPECT_EQ(
    written(*audience_in(R"({"topics":["a"],"except":"q"})")), R"({"topic":"a","except":["q"]})");
}

} // namespace
} // namespace herald
