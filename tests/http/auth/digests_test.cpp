#include "http/auth/digests.hpp"

#include <set>

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Digests, AreThoseOfTheStandards) {
  EXPECT_EQ(
    hex_of(sha256_of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231 test case 2, also with its key padded with zeros as HMAC itself would.
  const bits256 jefe{'J', 'e', 'f', 'e'};
  for (const auto key : {std::string_view{"Jefe"}, bytes_of(jefe)})
    EXPECT_EQ(
      hex_of(hmac_of(key, "what do ya want for nothing?")),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Digests, AreReadInEitherCaseAndInNoOtherForm) {
  const auto digest = sha256_of("abc");
  auto digits = hex_of(digest);
  EXPECT_EQ(bits_of_hex(digits), digest);
  digits[0] = 'B';
  EXPECT_EQ(bits_of_hex(digits), digest);
  EXPECT_EQ(bits_of_hex(digits + "0"), std::nullopt);
  EXPECT_EQ(bits_of_hex(digits.substr(1)), std::nullopt);
  digits[63] = 'g';
  EXPECT_EQ(bits_of_hex(digits), std::nullopt);
}

TEST(Digests, AreWrittenInBase64url) {
  bits256 bits{};
  EXPECT_EQ(base64url(bits), std::string(43, 'A'));
  bits.fill(0xff);
  EXPECT_EQ(base64url(bits), std::string(42, '_') + "8");
  bits = {0xfb, 0xef, 0xbe};
  EXPECT_EQ(base64url(bits).substr(0, 4), "----");
}

TEST(Digests, OfChanceDiffer) {
  std::set<bits256> seen;
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(seen.insert(random_secret()).second);
}

TEST(SameSecret, ComparesWholeTexts) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abc", ""));
  EXPECT_FALSE(same_secret("abc", "abcabc"));
  EXPECT_FALSE(same_secret("abc", "abd"));
  EXPECT_FALSE(same_secret("aaa", "aa"));
  EXPECT_TRUE(same_secret("", ""));
  EXPECT_FALSE(same_secret("", "x"));
}

} // namespace
} // namespace herald
