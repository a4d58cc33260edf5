#include "http/tokens/base64url.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Base64url, GivesTheBytesOfATextWithoutPadding) {
  EXPECT_EQ(from_base64url(""), "");
  EXPECT_EQ(from_base64url("Zg"), "f");
  EXPECT_EQ(from_base64url("Zm8"), "fo");
  EXPECT_EQ(from_base64url("Zm9v"), "foo");
  EXPECT_EQ(from_base64url("A-z_4ME"), "\x03\xec\xff\xe0\xc1");
}

TEST(Base64url, HasOneTextForTheSameBytes) {
  // Padding, the letters of base64, blanks, line breaks, bits behind the last byte, half a byte.
  for (const auto* text :
       {"Zg==", "Zm8=", "A+z/4ME", "Zm9v ", " Zm9v", "Zm\n9v", "Zh", "Zm9", "Zm9vY", "Z", "=",
        "Zm9v.", "Zm9\xc3\xa9"})
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;
}

TEST(Base64url, OutlivesPaddingWhereNoneBelongs) {
  // cjose would end the process.
  for (const auto* text : {"Z=", "Z==", "Z===", "A=A=", "Z=A", "Zm9vZ=", "Zm9vZ===", "Zm9vZ=mm"})
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;
}

TEST(Base64url, TakesNoZeroForTheEnd) {
  EXPECT_EQ(from_base64url(std::string_view{"Zm9v\0Zm9v", 9}), std::nullopt);
  EXPECT_EQ(from_base64url("AAAA"), std::string(3, '\0'));
}

} // namespace
} // namespace herald
