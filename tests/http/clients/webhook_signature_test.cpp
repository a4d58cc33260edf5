#include "http/clients/webhook_signature.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

/// The example of the specification of Standard Webhooks.
constexpr const char* known_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

TEST(WebhookSignature, IsThatOfTheSpecification) {
  const auto key = webhook_key(known_secret);
  ASSERT_TRUE(key);
  EXPECT_EQ(
    webhook_signatures(
      {*key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1'614'265'330, R"({"test": 2432232314})"),
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, IsMadeByEachKey) {
  const std::string one(24, 'a');
  const std::string other(24, 'b');
  EXPECT_EQ(
    webhook_signatures({one, other}, "m", 1, "x"),
    webhook_signatures({one}, "m", 1, "x") + " " + webhook_signatures({other}, "m", 1, "x"));
}

TEST(WebhookSignature, TakesSecretsOfThePrefixWithGoodBase64OfGoodLengthAlone) {
  const auto secret = [](const std::string& base64) {
    return webhook_key("whsec_" + base64);
  };
  EXPECT_EQ(secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), std::string(24, '\0'));
  EXPECT_EQ(secret(std::string(84, 'A') + "AA=="), std::string(64, '\0'));
  EXPECT_EQ(secret(std::string(32, 'A') + "AAA="), std::string(26, '\0'));
  EXPECT_FALSE(webhook_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
  EXPECT_FALSE(secret(""));
  EXPECT_FALSE(secret(std::string(28, 'A') + "AAA=")) << "23 bytes";
  EXPECT_FALSE(secret(std::string(84, 'A') + "AAA=")) << "65 bytes";
  EXPECT_FALSE(secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")) << "not whole";
  EXPECT_FALSE(secret(std::string(32, 'A') + "AAB=")) << "bits that are too many";
  EXPECT_FALSE(secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAA AA"));
  EXPECT_FALSE(secret("-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")) << "of another alphabet";
  EXPECT_FALSE(secret("AAAA====AAAAAAAAAAAAAAAAAAAAAAAA"));
  EXPECT_FALSE(secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"));
}

} // namespace
} // namespace herald
