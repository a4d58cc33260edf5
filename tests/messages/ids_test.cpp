#include "messages/ids.hpp"

#include <unordered_set>

#include <gtest/gtest.h>

namespace herald {
namespace {

constexpr std::string_view uuid = "0123abcd-4567-89ef-fedc-ba9876543210";

TEST(RequestId, IsAnyTextWithoutColonAndControlCharacters) {
  for (const auto* good : {"a", "page 1", "\xc3\xa9t\xc3\xa9", "?&=+%/"})
    EXPECT_EQ(request_id_violation(good), std::nullopt) << good;
  EXPECT_EQ(request_id_violation(std::string(128, 'x')), std::nullopt);
}

TEST(RequestId, BreaksARuleThatIsNamed) {
  EXPECT_EQ(request_id_violation(""), "must not be empty");
  EXPECT_EQ(request_id_violation(std::string(129, 'x')), "must be at most 128 bytes");
  EXPECT_EQ(request_id_violation("a:b"), "must not contain a colon");
  for (const std::string_view bad :
       {std::string_view{"a\0b", 3}, std::string_view{"\n"}, std::string_view{"\x1f"},
        std::string_view{"\x7f"}})
    EXPECT_EQ(request_id_violation(bad), "must not contain a control character");
  for (const auto* bad : {"\x80", "page-\xff", "\xc3", "\xed\xa0\x80"})
    EXPECT_EQ(request_id_violation(bad), "must be UTF-8") << bad;
}

TEST(Token, GivesBackTheTextItWasMadeOf) {
  for (const std::string_view text :
       {uuid, std::string_view{"0123ABCD-4567-89EF-FEDC-BA9876543210"},
        std::string_view{"0123abcd-4567-89ef-fedc-ba987654321"},
        std::string_view{"0123abcd-4567-89ef-fedc-ba9876543210x"},
        std::string_view{"0123abcd-4567-89ef-fedcxba9876543210"},
        std::string_view{"g123abcd-4567-89ef-fedc-ba9876543210"}, std::string_view{"abc"},
        std::string_view{}})
    EXPECT_EQ(token::from_text(text).str(), text);
}

TEST(Token, OfAUuidIsItsBits) {
  const auto from_text = token::from_text(uuid);
  EXPECT_EQ(from_text.high(), 0x0123abcd456789efU);
  EXPECT_EQ(from_text.low(), 0xfedcba9876543210U);
  EXPECT_EQ(from_text, token::from_bits(0x0123abcd456789efU, 0xfedcba9876543210U));
}

TEST(Token, IsEqualToTheSameTextOnly) {
  const auto foreign = token::from_text("abc");
  EXPECT_EQ(foreign, token::from_text("abc"));
  EXPECT_EQ(foreign.hash(), token::from_text("abc").hash());
  const std::unordered_set<token> different = {
    token{},
    foreign,
    token::from_text("abd"),
    token::from_text(uuid),
    token::from_bits(0, 1),
    token::from_bits(1, 0)};
  EXPECT_EQ(different.size(), 6u);
}

TEST(Token, OfAForeignTextIsNotTheOneWithoutBits) {
  EXPECT_FALSE(token::from_text("abc") == token{});
  EXPECT_FALSE(token{} == token::from_text("abc"));
}

TEST(EventId, IsReadAsItWasWritten) {
  for (const auto value : {0UL, 1UL, 1700000000000000UL, ~0UL}) {
    const event_id id{value};
    EXPECT_EQ(parse_event_id(to_string(id)), id);
  }
}

TEST(EventId, IsNothingElse) {
  for (const auto* text :
       {"", "-1", "+1", " 1", "1 ", "01", "0x1", "1.0", "18446744073709551616", "a"})
    EXPECT_EQ(parse_event_id(text), std::nullopt) << text;
}

} // namespace
} // namespace herald
