#include "http/tokens/token_key.hpp"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "http/tokens/base64url.hpp"
#include "messages/json/json_objects.hpp"
#include "tests/support/jose_examples.hpp"
#include "tests/support/token_maker.hpp"

namespace herald {
namespace {

namespace examples = testing::jose_examples;
using testing::signing_key;

const allowed_algorithms all{{"HS256", "RS256", "ES256", "EdDSA"}};

key_or_reason read_key(std::string_view jwk, const allowed_algorithms& allowed = all) {
  auto in = read_object(jwk);
  return in ? key_of_jwk(*in, allowed) : key_or_reason{std::string{"no object"}};
}

token_key_ptr good_key(std::string_view jwk) {
  auto read = read_key(jwk);
  EXPECT_TRUE(std::holds_alternative<token_key_ptr>(read)) << std::get<std::string>(read);
  return std::get<token_key_ptr>(read);
}

token_key_ptr good_secret(std::string_view bytes) {
  return std::get<token_key_ptr>(key_of_secret(bytes));
}

/// Why the JWK is not taken; empty if it is.
std::string reason_of(std::string_view jwk, const allowed_algorithms& allowed = all) {
  const auto read = read_key(jwk, allowed);
  const auto* why = std::get_if<std::string>(&read);
  return why == nullptr ? std::string{} : *why;
}

bool has_signed(const token_key& key, std::string_view token) {
  const auto first = token.find('.');
  const auto second = token.find('.', first + 1);
  return key.has_signed(
    {token, token.substr(0, first), token.substr(first + 1, second - first - 1),
     token.substr(second + 1)});
}

/// The token with another bit in its last part, at this character.
std::string damaged(std::string_view token, std::size_t from_end) {
  std::string text{token};
  auto& c = text[text.size() - from_end];
  c = c == 'A' ? 'E' : 'A';
  return text;
}

TEST(TokenKey, VerifiesTheExamplesOfTheRfcs) {
  struct example {
    const char* where;
    token_key_ptr key;
    std::string_view token;
  };
  for (const auto& [where, key, token] : std::vector<example>{
         {"RFC 7515 A.1", good_secret(*from_base64url(examples::secret_a1)), examples::token_a1},
         {"RFC 7515 A.2", good_key(examples::jwk_a2), examples::token_a2},
         {"RFC 7515 A.3", good_key(examples::jwk_a3), examples::token_a3},
         {"RFC 7520 4.1", good_key(examples::jwk_7520_rsa), examples::token_7520_rsa},
         {"RFC 7520 4.4", good_secret(*from_base64url(examples::secret_7520)),
          examples::token_7520_secret},
         {"RFC 8037 A.4", good_key(examples::jwk_8037), examples::token_8037}}) {
    EXPECT_TRUE(has_signed(*key, token)) << where;
    EXPECT_FALSE(has_signed(*key, damaged(token, 10))) << where;
    EXPECT_FALSE(has_signed(*key, token.substr(0, token.rfind('.') + 1))) << where;
  }
}

TEST(TokenKey, TakesNoKeyOfTheExamplesThatIsForSomethingElse) {
  EXPECT_EQ(
    reason_of(examples::jwk_a4),
    "kty and crv must be RSA, EC with P-256 or OKP with Ed25519"); // RFC 7515 A.4: P-521
  const std::string of_others = "it is a private or a secret key, in a document for public ones";
  EXPECT_EQ(reason_of(examples::jwk_private), of_others);   // RFC 7517 A.2
  EXPECT_EQ(reason_of(examples::jwk_symmetric), of_others); // RFC 7517 A.3
}

TEST(TokenKey, KnowsItsAlgorithmAndItsId) {
  EXPECT_EQ(good_key(examples::jwk_7520_rsa)->id(), "bilbo.baggins@hobbiton.example");
  EXPECT_EQ(good_key(examples::jwk_7520_rsa)->algorithm(), token_algorithm::rs256);
  EXPECT_EQ(good_key(examples::jwk_a3)->id(), "");
  EXPECT_EQ(good_key(examples::jwk_a3)->algorithm(), token_algorithm::es256);
  EXPECT_EQ(good_key(examples::jwk_8037)->algorithm(), token_algorithm::eddsa);
  EXPECT_EQ(good_secret(std::string(32, 's'))->algorithm(), token_algorithm::hs256);
}

TEST(TokenKey, HasSignedWhatItHasSignedAndNothingElse) {
  const auto payload = std::string{R"({"sub":"ann"})"};
  const std::vector<signing_key> makers{
    signing_key::rsa("a"), signing_key::p256("a"), signing_key::ed25519("a"),
    signing_key::secret(std::string(32, 's'))};
  std::vector<token_key_ptr> keys;
  for (const auto& maker : makers)
    keys.push_back(
      maker.algorithm() == "HS256" ? good_secret(std::string(32, 's'))
                                   : good_key(maker.jwk().dump()));
  for (std::size_t i = 0; i != makers.size(); ++i)
    for (std::size_t j = 0; j != keys.size(); ++j) {
      const auto token =
        makers[i].token_of(R"({"alg":")" + makers[i].algorithm() + R"("})", payload);
      EXPECT_EQ(has_signed(*keys[j], token), i == j) << i << ' ' << j;
    }
}

TEST(TokenKey, TakesNoSignatureOfAnotherForm) {
  // ES256 has r and s, 32 bytes each: neither DER nor anything shorter, longer or zero.
  const auto maker = signing_key::p256("a");
  const auto key = good_key(maker.jwk().dump());
  const auto text = testing::base64url(R"({"alg":"ES256"})") + '.' + testing::base64url("{}");
  const auto signature = maker.sign(text);
  EXPECT_TRUE(has_signed(*key, text + '.' + testing::base64url(signature)));
  for (const auto& other :
       {signature + '\0', '\0' + signature, signature.substr(0, 63), std::string(64, '\0'),
        std::string(64, '\xff'), signature.substr(32) + signature.substr(0, 32), std::string{}})
    EXPECT_FALSE(has_signed(*key, text + '.' + testing::base64url(other)));
}

TEST(TokenKey, SaysWhatIsWrongWithAJwk) {
  const auto with = [](std::string_view jwk, std::string_view more) {
    return std::string{jwk.substr(0, jwk.size() - 1)} + ',' + std::string{more} + '}';
  };
  struct bad {
    std::string jwk;
    const char* why;
  };
  const char* alg = "alg must be one that kty and crv are for: RS256, ES256 or EdDSA";
  const char* type = "kty and crv must be RSA, EC with P-256 or OKP with Ed25519";
  const char* secret = "it is a private or a secret key, in a document for public ones";
  for (
    const auto& [jwk, why] : std::vector<bad>{
      {R"({})", "kty is required"},
      {R"({"kty":7})", "kty must be a string, not a number"},
      {R"({"kty":"rsa"})", type},
      {R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})", type},
      {R"({"kty":"EC","crv":"secp256k1"})", type},
      {R"({"kty":"EC"})", type},
      {with(examples::jwk_a3, R"("kid":1)"), "kid must be a string, not a number"},
      {with(examples::jwk_a3, R"("kty":"EC")"), "kty is given twice"},
      {with(examples::jwk_a3, R"("note":1,"note":2)"), "note is given twice"},
      {with(examples::jwk_a3, R"("use":"enc")"), "use must be sig"},
      {with(examples::jwk_a3, R"("key_ops":["sign"])"), "key_ops must have verify"},
      {with(examples::jwk_a3, R"("key_ops":[])"), "key_ops must have verify"},
      {with(examples::jwk_a3, R"("alg":"ES384")"), alg},
      {with(examples::jwk_a3, R"("alg":"HS256")"), alg},
      {with(examples::jwk_a3, R"("alg":"RS256")"), alg},
      {with(examples::jwk_a3, R"("alg":"none")"), alg},
      {with(examples::jwk_a2, R"("alg":"PS256")"), alg},
      {with(examples::jwk_a2, R"("alg":"HS256")"), alg},
      {with(examples::jwk_a2, R"("d":"AQAB")"), secret},
      {with(examples::jwk_8037, R"("d":"AQAB")"), secret},
      {R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0i"})",
       secret},
      {R"({"kty":"RSA","n":"AQAB"})", "e is required"},
      {R"({"kty":"RSA","n":"!","e":"AQAB"})", "n and e must be base64url"},
      {R"({"kty":"RSA","n":"Z=","e":"AQAB"})", "n and e must be base64url"},
      {R"({"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB"})",
       "x and y must be 32 bytes each, as base64url"},
      // On no curve.
      {R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})",
       "its numbers are no key"},
      {R"({"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})",
       "its numbers are no key"},
      {R"({"kty":"OKP","crv":"Ed25519","x":"AQAB"})", "x must be 32 bytes, as base64url"}})
    EXPECT_EQ(reason_of(jwk), why) << jwk;
}

TEST(TokenKey, TakesAJwkThatSaysWhatItIsFor) {
  const std::string rsa{examples::jwk_a2};
  const auto with = [&](const char* more) {
    return rsa.substr(0, rsa.size() - 1) + ',' + more + '}';
  };
  EXPECT_EQ(reason_of(with(R"("use":"sig","alg":"RS256","kid":"a")")), "");
  EXPECT_EQ(reason_of(with(R"("key_ops":["verify"],"x5t":"AQAB","x5c":["MIID"],"ext":true)")), "");
}

TEST(TokenKey, IsNotWeak) {
  const auto jwk = [](const std::string& n, const std::string& e) {
    return R"({"kty":"RSA","n":")" + testing::base64url(n) + R"(","e":")" + testing::base64url(e)
           + R"("})";
  };
  const std::string e{"\x01\x00\x01", 3};
  const std::string bits = "n must have 2048 to 8192 bits";
  EXPECT_EQ(reason_of(jwk(std::string(256, '\xff'), e)), "");
  EXPECT_EQ(reason_of(jwk(std::string(1024, '\xff'), e)), "");
  EXPECT_EQ(reason_of(jwk('\x7f' + std::string(255, '\xff'), e)), bits);
  EXPECT_EQ(reason_of(jwk('\0' + std::string(255, '\xff'), e)), bits);
  EXPECT_EQ(reason_of(jwk('\x01' + std::string(1024, '\xff'), e)), bits);
  EXPECT_EQ(reason_of(jwk("", e)), bits);
  EXPECT_EQ(reason_of(signing_key::rsa("a", 1024).jwk().dump()), bits);
  const std::string odd = "e must be odd, and more than 1";
  for (const auto& exponent :
       {std::string{}, std::string{"\x01"}, std::string{"\x00\x01", 2}, std::string{"\x02"},
        std::string{"\x01\x00\x00", 3}, std::string(9, '\xff')})
    EXPECT_EQ(reason_of(jwk(std::string(256, '\xff'), exponent)), odd);
  EXPECT_EQ(reason_of(jwk(std::string(256, '\xff'), "\x03")), "");
}

TEST(TokenKey, IsNotAShortSecret) {
  const auto weak = key_of_secret(std::string(31, 's'));
  EXPECT_EQ(std::get<std::string>(weak), "must have at least 32 bytes");
  EXPECT_TRUE(std::holds_alternative<token_key_ptr>(key_of_secret(std::string(32, '\0'))));
}

TEST(TokenKey, IsForAnAlgorithmThatIsAllowed) {
  const allowed_algorithms rsa_only{{"RS256"}};
  EXPECT_EQ(reason_of(examples::jwk_a2, rsa_only), "");
  EXPECT_EQ(reason_of(examples::jwk_a3, rsa_only), "its algorithm is not in auth.algorithms");
  EXPECT_EQ(reason_of(examples::jwk_8037, rsa_only), "its algorithm is not in auth.algorithms");
}

TEST(TokenKey, IsUsedByManyThreadsAtOnce) {
  const std::vector<std::pair<token_key_ptr, std::string_view>> pairs{
    {good_key(examples::jwk_a2), examples::token_a2},
    {good_key(examples::jwk_a3), examples::token_a3},
    {good_key(examples::jwk_8037), examples::token_8037},
    {good_secret(*from_base64url(examples::secret_a1)), examples::token_a1}};
  std::vector<std::thread> threads;
  for (int i = 0; i != 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round != 50; ++round)
        for (const auto& [key, token] : pairs)
          EXPECT_TRUE(has_signed(*key, token));
    });
  for (auto& thread : threads)
    thread.join();
}

} // namespace
} // namespace herald
