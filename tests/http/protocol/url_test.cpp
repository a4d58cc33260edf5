#include "http/protocol/url.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Url, DecodesEscapes) {
  EXPECT_EQ(percent_decode("a%20b%C3%A9"), "a b\xc3\xa9");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(form_decode("a+b%2B"), "a b+");
}

TEST(Url, RefusesBrokenEscapes) {
  for (const auto* text : {"%", "%4", "%zz", "abc%", "%%41"})
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
}

TEST(Url, SplitsATargetAtItsQuestionMark) {
  const auto target = split_target("/api/sse/stream?request_id=a?b#c");
  EXPECT_EQ(target.path, "/api/sse/stream");
  EXPECT_EQ(target.query, "request_id=a?b");
  EXPECT_EQ(split_target("/x").query, "");
}

TEST(Url, TakesTheAbsoluteForm) {
  EXPECT_EQ(split_target("http://host:1/a/b?x=1").path, "/a/b");
  EXPECT_EQ(split_target("http://host?x=1").path, "");
  EXPECT_EQ(split_target("http://host?x=1").query, "x=1");
  EXPECT_EQ(split_target("/a?next=http://other/").path, "/a");
}

TEST(Url, ParsesAQuery) {
  const auto query = parse_query("a=1&b=x%20y+z&a=2&&c&=v&d=%zz&e=1=2");
  EXPECT_EQ(query.at("a"), "1");
  EXPECT_EQ(query.at("b"), "x y z");
  EXPECT_EQ(query.at("c"), "");
  EXPECT_EQ(query.at("e"), "1=2");
  EXPECT_FALSE(query.contains("d"));
  EXPECT_EQ(query.size(), 4u);
}

TEST(Url, ListsAllArgumentsOfAQuery) {
  const auto arguments = query_arguments("a=1&b%20c&a=2&&=v&d=%zz&%zz=1");
  ASSERT_EQ(arguments.size(), 5u);
  EXPECT_EQ(arguments[0].name, "a");
  EXPECT_EQ(arguments[0].value, "1");
  EXPECT_EQ(arguments[1].name, "b c");
  EXPECT_EQ(arguments[1].value, "");
  EXPECT_EQ(arguments[2].name, "a");
  EXPECT_EQ(arguments[2].value, "2");
  EXPECT_EQ(arguments[3].name, "d");
  EXPECT_EQ(arguments[3].value, std::nullopt);
  EXPECT_EQ(arguments[4].name, "%zz");
  EXPECT_EQ(arguments[4].value, std::nullopt);
}

} // namespace
} // namespace herald
