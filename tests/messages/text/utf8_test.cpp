#include "messages/text/utf8.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

const std::string replaced{utf8_replacement};

TEST(Utf8, LeavesValidTextAsItIs) {
  for (const auto* text : {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a\x7f\n"})
    EXPECT_EQ(valid_utf8(text), text);
  const std::string with_zero{"a\0b", 3};
  EXPECT_EQ(valid_utf8(with_zero), with_zero);
}

TEST(Utf8, ReplacesEachByteThatIsNone) {
  EXPECT_EQ(
    valid_utf8("a\xff"
               "b"),
    "a" + replaced + "b");
  EXPECT_EQ(valid_utf8("\x80\x80"), replaced + replaced) << "continuations of nothing";
  EXPECT_EQ(valid_utf8("\xc3"), replaced) << "ends too early";
  EXPECT_EQ(valid_utf8("\xe2\x82x"), replaced + replaced + "x");
  EXPECT_EQ(valid_utf8("\xc0\xaf"), replaced + replaced) << "overlong";
  EXPECT_EQ(valid_utf8("\xe0\x80\xaf"), replaced + replaced + replaced) << "overlong";
  EXPECT_EQ(valid_utf8("\xf0\x80\x80\xaf"), replaced + replaced + replaced + replaced)
    << "overlong";
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), replaced + replaced + replaced) << "a surrogate";
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), replaced + replaced + replaced + replaced)
    << "above U+10FFFF";
  EXPECT_EQ(valid_utf8("\xf5\x80\x80\x80"), replaced + replaced + replaced + replaced)
    << "far above";
}

TEST(Utf8, IsTextThatNothingHasToBeReplacedIn) {
  for (const auto* text : {"", "plain", "\xc3\xa9t\xc3\xa9", "\xf0\x9f\x98\x80"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const auto* text :
       {"\x80", "a\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf5\x80\x80\x80"})
    EXPECT_FALSE(is_utf8(text)) << text;
}

TEST(Utf8, CutsTheFrontWithoutSplittingACharacter) {
  EXPECT_EQ(utf8_front("abcdef", 6), "abcdef");
  EXPECT_EQ(utf8_front("abcdef", 5), "abcde");
  EXPECT_EQ(utf8_front("ab\xe2\x82\xac", 5), "ab\xe2\x82\xac");
  for (const std::size_t limit : {2u, 3u, 4u})
    EXPECT_EQ(utf8_front("ab\xe2\x82\xac", limit), "ab") << limit;
  EXPECT_EQ(utf8_front("\xe2\x82\xac", 2), "");
  EXPECT_EQ(utf8_front("abc", 0), "");
}

TEST(Utf8, CutsTheEndWithoutSplittingACharacter) {
  EXPECT_EQ(utf8_end("abcdef", 6), "abcdef");
  EXPECT_EQ(utf8_end("abcdef", 5), "bcdef");
  EXPECT_EQ(
    utf8_end(
      "\xe2\x82\xac"
      "ab",
      5),
    "\xe2\x82\xac"
    "ab");
  for (const std::size_t limit : {2u, 3u, 4u})
    EXPECT_EQ(
      utf8_end(
        "\xe2\x82\xac"
        "ab",
        limit),
      "ab")
      << limit;
  EXPECT_EQ(utf8_end("\xe2\x82\xac", 2), "");
  EXPECT_EQ(utf8_end("abc", 0), "");
}

TEST(Utf8, KeepsTheLimitWhereReplacingMakesLonger) {
  const std::string broken(10, '\xff');
  for (std::size_t limit = 0; limit <= 32; ++limit) {
    std::string expected;
    while (expected.size() + replaced.size() <= limit && expected.size() < 30)
      expected += replaced;
    EXPECT_EQ(utf8_front(broken, limit), expected);
    EXPECT_EQ(utf8_end(broken, limit), expected);
  }
}

} // namespace
} // namespace herald
