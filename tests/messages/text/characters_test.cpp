#include "messages/text/characters.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

constexpr const char* bidi_override = "\xe2\x80\xae"; // NOLINT(misc-misleading-bidirectional)
constexpr const char* bidi_isolate = "\xe2\x81\xa6";  // NOLINT(misc-misleading-bidirectional)

TEST(Characters, AreHiddenWhereNobodySeesThem) {
  const struct {
    std::string_view text;
    const char* what;
  } cases[] = {
    {{"\0", 1}, "NUL"},
    {"\t", "a tabulator"},
    {"\n", "a line feed"},
    {"\x1f", "the last of C0"},
    {"\x7f", "DEL"},
    {"\xc2\x80", "the first of C1"},
    {"\xc2\x85", "U+0085, next line"},
    {"\xc2\x9f", "the last of C1"},
    {"\xc2\xad", "U+00AD, soft hyphen"},
    {"\xd8\x9c", "U+061C, Arabic letter mark"},
    {"\xe2\x80\x8b", "U+200B, zero width space"},
    {"\xe2\x80\x8d", "U+200D, zero width joiner"},
    {"\xe2\x80\xa8", "U+2028, line separator"},
    {"\xe2\x80\xa9", "U+2029, paragraph separator"},
    {bidi_override, "U+202E, right-to-left override"},
    {bidi_isolate, "U+2066, left-to-right isolate"},
    {"\xef\xbb\xbf", "U+FEFF, byte order mark"},
    {"\xf3\xa0\x80\xa0", "U+E0020, tag space"},
  };
  for (const auto& c : cases) {
    EXPECT_TRUE(has_hidden_character(c.text)) << c.what;
    EXPECT_TRUE(has_hidden_character("a" + std::string{c.text})) << c.what;
    EXPECT_TRUE(has_hidden_character(std::string{c.text} + "a")) << c.what;
  }
}

TEST(Characters, AreNotHiddenWhereTheyAreSeen) {
  for (const auto* text :
       {"", "a", " ", "~", "\xc2\xa0", "\xc2\xac", "\xc2\xae", "\xc3\xa9", "\xe2\x80\x8a",
        "\xe2\x80\x90", "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbd"})
    EXPECT_FALSE(has_hidden_character(text)) << text;
}

TEST(Characters, AreHiddenInWhatIsNoText) {
  for (const auto* text : {"\x80", "a\xff", "\xc3", "\xed\xa0\x80"})
    EXPECT_TRUE(has_hidden_character(text)) << text;
}

} // namespace
} // namespace herald
