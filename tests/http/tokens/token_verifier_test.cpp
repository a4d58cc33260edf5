#include "http/tokens/token_verifier.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/jose_examples.hpp"
#include "tests/support/token_issuer.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::base64url;
using testing::signing_key;
using testing::token_issuer;
using kind = token_refusal::kind;

const token_issuer& issuer() {
  return token_issuer::shared();
}

bool is_good(const token_judgement& how) {
  return std::holds_alternative<stream_grant>(how);
}

std::string good_header(const signing_key& key) {
  return json{{"alg", key.algorithm()}, {"kid", "ec-1"}}.dump();
}

/// A token by the key of ES256 with this header, and good claims.
std::string with_header(const json& header) {
  return issuer().ec.token_of(header.dump(), issuer().claims().dump());
}

/// The header of a good token, and more.
std::string with_parameter(const char* name, const json& value) {
  return with_header({{"alg", "ES256"}, {"kid", "ec-1"}, {name, value}});
}

/// A token with another payload.
std::string with_claims(const json& more) {
  return issuer().ec.token(issuer().claims(more));
}

std::string with_payload(std::string_view payload) {
  return issuer().ec.token_of(good_header(issuer().ec), payload);
}

/// A token whose header says one algorithm, and which another key has signed.
std::string confused(const char* alg, const char* kid, const signing_key& signer) {
  return signer.token_of(json{{"alg", alg}, {"kid", kid}}.dump(), issuer().claims().dump());
}

TEST(TokenVerifier, GrantsWhatAGoodTokenOfEachAlgorithmSays) {
  const auto verifier = issuer().verifier();
  for (const auto& key : {issuer().hmac, issuer().rsa, issuer().ec, issuer().ed}) {
    const auto how = verifier.verify(
      key.token(issuer().claims({{"roles", {"admin"}}, {"topics", {"orders/*"}}})), issuer().now);
    ASSERT_TRUE(is_good(how)) << key.algorithm() << ' ' << std::get<token_refusal>(how).cause;
    const stream_grant expected{"ann",        {"admin"}, {"orders/*"}, issuer().now + 10min,
                                issuer().now, "token-1"};
    EXPECT_EQ(std::get<stream_grant>(how), expected);
  }
}

TEST(TokenVerifier, RefusesBadTokensOfAllKinds) {
  const auto& i = issuer();
  const auto good = i.ec.token(i.claims());
  const auto first = good.find('.');
  const auto last = good.rfind('.');
  const auto header = good.substr(0, first);
  const auto payload = good.substr(first + 1, last - first - 1);
  const auto signature = good.substr(last + 1);
  const auto rsa_jwk = i.rsa.jwk();
  const signing_key public_as_secret = signing_key::secret(rsa_jwk["n"].get<std::string>());
  const signing_key stranger = signing_key::p256("ec-1");
  auto doubled = i.claims().dump();
  doubled = R"({"sub":"bob",)" + doubled.substr(1);
  const std::vector<std::pair<const char*, std::string>> bad{
    // No token.
    {"empty", ""},
    {"a word", "token"},
    {"dots", ".."},
    {"one dot", "."},
    {"header alone", header},
    {"no signature", header + '.' + payload},
    {"an empty signature", header + '.' + payload + '.'},
    {"no header", '.' + payload + '.' + signature},
    {"no payload", header + ".." + signature},
    {"four parts", good + ".e30"},
    {"five parts, as JWE", good + ".e30.e30"},
    {"a dot more", good + '.'},
    {"a blank in front", ' ' + good},
    {"a blank behind", good + ' '},
    {"a line break behind", good + '\n'},
    {"a zero behind", good + '\0'},
    {"a zero within", header + '.' + payload + '\0' + '.' + signature},
    {"Bearer in front", "Bearer " + good},
    {"JSON serialization",
     json{{"protected", header}, {"payload", payload}, {"signature", signature}}.dump()},
    {"not base64url", header + "!." + payload + '.' + signature},
    {"padding", header + '.' + payload + '.' + signature + "=="},
    {"padding where none belongs", header + '.' + payload + ".Z="},
    {"padding in the header", "Z=." + payload + '.' + signature},
    {"padding in the payload", header + ".Z==." + signature},
    {"the letters of base64", header + '.' + payload + ".+/+/" + signature.substr(4)},
    {"huge", good + std::string(8192, 'A')},
    {"huge header",
     i.ec.token_of(
       json{{"alg", "ES256"}, {"kid", "ec-1"}, {"note", std::string(7000, 'x')}}.dump(),
       i.claims().dump())},
    // Cut off, or changed.
    {"a shorter signature", good.substr(0, good.size() - 2)},
    {"a longer signature", good + "AA"},
    {"a shorter payload", header + '.' + payload.substr(0, payload.size() - 4) + '.' + signature},
    {"another payload",
     header + '.' + base64url(i.claims({{"sub", "bob"}}).dump()) + '.' + signature},
    {"another header",
     base64url(R"({"alg":"ES256","kid":"ec-1","x":1})") + '.' + payload + '.' + signature},
    {"the signature of another token",
     header + '.' + payload + '.' + with_claims({{"sub", "bob"}}).substr(last + 1)},
    {"zeros for a signature", header + '.' + payload + '.' + base64url(std::string(64, '\0'))},
    {"a signature of a stranger", stranger.token(i.claims())},
    // Algorithms.
    {"none", base64url(R"({"alg":"none"})") + '.' + payload + '.'},
    {"none with a signature", base64url(R"({"alg":"none"})") + '.' + payload + '.' + signature},
    {"None", base64url(R"({"alg":"None"})") + '.' + payload + '.'},
    {"NONE", base64url(R"({"alg":"NONE"})") + '.' + payload + '.'},
    {"none of RFC 7515 A.5", std::string{testing::jose_examples::token_a5}},
    {"ES512 of RFC 7515 A.4", std::string{testing::jose_examples::token_a4}},
    {"no alg", with_header({{"kid", "ec-1"}})},
    {"an empty alg", with_header({{"alg", ""}, {"kid", "ec-1"}})},
    {"alg in lower case", with_header({{"alg", "es256"}, {"kid", "ec-1"}})},
    {"alg with a blank", with_header({{"alg", "ES256 "}, {"kid", "ec-1"}})},
    {"alg with a zero", with_header({{"alg", std::string("ES256\0", 6)}, {"kid", "ec-1"}})},
    {"alg is a number", with_header({{"alg", 256}, {"kid", "ec-1"}})},
    {"alg is a list", with_header({{"alg", {"ES256"}}, {"kid", "ec-1"}})},
    {"alg is null", with_header({{"alg", nullptr}, {"kid", "ec-1"}})},
    {"ES384", with_header({{"alg", "ES384"}, {"kid", "ec-1"}})},
    {"PS256", confused("PS256", "rsa-1", i.rsa)},
    {"RS512", confused("RS512", "rsa-1", i.rsa)},
    {"HS512", confused("HS512", "", i.hmac)},
    {"encryption", with_header({{"alg", "RSA-OAEP"}, {"enc", "A128GCM"}, {"kid", "rsa-1"}})},
    {"HS256 by the public modulus", public_as_secret.token(i.claims())},
    {"HS256 by the JWK of RSA", signing_key::secret(rsa_jwk.dump()).token(i.claims())},
    {"HS256 by the JWK of EC", confused("HS256", "ec-1", signing_key::secret(i.ec.jwk().dump()))},
    {"HS256 by an empty secret", signing_key::secret("").token(i.claims())},
    {"HS256 that says a public key's kid", confused("HS256", "rsa-1", public_as_secret)},
    {"RS256 by the key of EC", confused("RS256", "rsa-1", i.ec)},
    {"ES256 by the key of RSA", confused("ES256", "ec-1", i.rsa)},
    {"ES256 by the key of Ed25519", confused("ES256", "ec-1", i.ed)},
    {"EdDSA by the key of EC", confused("EdDSA", "ed-1", i.ec)},
    // What the header must not say.
    {"crit", with_parameter("crit", {"exp"})},
    {"an empty crit", with_parameter("crit", json::array())},
    {"b64 of RFC 7797",
     with_header({{"alg", "ES256"}, {"kid", "ec-1"}, {"b64", false}, {"crit", {"b64"}}})},
    {"jwk of a stranger",
     stranger.token_of(
       json{{"alg", "ES256"}, {"kid", "ec-1"}, {"jwk", stranger.jwk()}}.dump(), i.claims().dump())},
    {"jwk of the very key", with_parameter("jwk", i.ec.jwk())},
    {"jku", with_parameter("jku", "https://stranger.example/keys")},
    {"x5u", with_parameter("x5u", "https://stranger.example/certificate")},
    {"x5c", with_parameter("x5c", {"MIID"})},
    {"typ of an ID for something else", with_parameter("typ", "logout+jwt")},
    {"typ is empty", with_parameter("typ", "")},
    {"typ is a number", with_parameter("typ", 7)},
    {"typ is half of one", with_parameter("typ", "application/")},
    {"kid is a number", with_header({{"alg", "ES256"}, {"kid", 1}})},
    {"alg twice",
     i.ec.token_of(R"({"alg":"ES256","alg":"ES256","kid":"ec-1"})", i.claims().dump())},
    {"alg twice, then none",
     i.ec.token_of(R"({"alg":"ES256","kid":"ec-1","alg":"none"})", i.claims().dump())},
    {"anything twice",
     i.ec.token_of(R"({"alg":"ES256","kid":"ec-1","x":1,"x":2})", i.claims().dump())},
    {"a header that is no object", i.ec.token_of(R"(["ES256"])", i.claims().dump())},
    {"a header that is no JSON", i.ec.token_of("ES256", i.claims().dump())},
    {"a header and more", i.ec.token_of(R"({"alg":"ES256","kid":"ec-1"}{})", i.claims().dump())},
    {"a header with a byte order mark", i.ec.token_of(
                                          "\xef\xbb\xbf"
                                          R"({"alg":"ES256","kid":"ec-1"})",
                                          i.claims().dump())},
    // Claims. Each has a test of its own, and some are here so that signatures do not save them.
    {"no claims", with_payload("{}")},
    {"a payload that is no object", with_payload("[]")},
    {"a payload that is no JSON", with_payload("sub=ann")},
    {"a payload that is no UTF-8", with_payload("{\"sub\":\"\xff\"}")},
    {"a token in a token", with_payload(good)},
    {"sub twice", with_payload(doubled)},
    {"of RFC 7515 A.1, by another secret", std::string{testing::jose_examples::token_a1}},
    {"another iss", with_claims({{"iss", "https://stranger.example"}})},
    {"iss with a slash more", with_claims({{"iss", "https://issuer.example/"}})},
    {"iss is a list", with_claims({{"iss", {"https://issuer.example"}}})},
    {"another aud", with_claims({{"aud", "stranger"}})},
    {"no aud", i.ec.token(i.claims_without("aud"))},
    {"no sub", i.ec.token(i.claims_without("sub"))},
    {"an empty sub", with_claims({{"sub", ""}})},
    {"no exp", i.ec.token(i.claims_without("exp"))},
    {"it has ended", with_claims({{"exp", i.at(0s)}})},
    {"it ends too late", with_claims({{"exp", i.at(24h + 1s)}})},
    {"exp is a text", with_claims({{"exp", "1800000600"}})},
    {"it has not begun", with_claims({{"nbf", i.at(61s)}})},
    {"it comes from the future", with_claims({{"iat", i.at(61s)}})},
    {"a topic that is none", with_claims({{"topics", {"a//b"}}})},
  };
  EXPECT_GE(bad.size(), 60u);
  const auto verifier = i.verifier();
  ASSERT_TRUE(is_good(verifier.verify(good, i.now)));
  for (const auto& [name, token] : bad) {
    const auto how = verifier.verify(token, i.now);
    ASSERT_FALSE(is_good(how)) << name;
    const auto& why = std::get<token_refusal>(how);
    EXPECT_EQ(why.what, kind::invalid) << name;
    EXPECT_FALSE(why.cause.empty()) << name;
    // Nothing of a token gets into the log.
    EXPECT_EQ(why.cause.find("stranger"), std::string::npos) << name;
    EXPECT_EQ(why.cause.find("bob"), std::string::npos) << name;
  }
}

TEST(TokenVerifier, RefusesEveryTokenThatIsCutOff) {
  const auto verifier = issuer().verifier();
  const auto good = issuer().ed.token(issuer().claims());
  for (std::size_t size = 0; size != good.size(); ++size)
    EXPECT_FALSE(is_good(verifier.verify(std::string_view{good}.substr(0, size), issuer().now)))
      << size;
}

TEST(TokenVerifier, RefusesEveryTokenWithAnotherBit) {
  const auto verifier = issuer().verifier();
  const auto good = issuer().hmac.token(issuer().claims());
  for (std::size_t at = 0; at != good.size(); ++at)
    for (const char bit : {1, 2, 4, 8, 16, 32}) {
      auto other = good;
      other[at] = static_cast<char>(other[at] ^ bit);
      EXPECT_FALSE(is_good(verifier.verify(other, issuer().now))) << at << ' ' << int{bit};
    }
}

TEST(TokenVerifier, TakesTypInAnyCaseAndWithItsPrefix) {
  const auto verifier = issuer().verifier();
  for (const auto* typ :
       {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"})
    EXPECT_TRUE(is_good(verifier.verify(with_parameter("typ", typ), issuer().now))) << typ;
  EXPECT_TRUE(
    is_good(verifier.verify(with_header({{"alg", "ES256"}, {"kid", "ec-1"}}), issuer().now)));
  auto strict = token_issuer::rules();
  strict.typ = {"at+jwt"};
  EXPECT_FALSE(
    is_good(issuer().verifier(strict).verify(with_parameter("typ", "JWT"), issuer().now)));
}

TEST(TokenVerifier, IgnoresParametersThatDecideNothing) {
  const auto verifier = issuer().verifier();
  for (const auto* name : {"x5t", "x5t#S256", "cty", "nonce"})
    EXPECT_TRUE(is_good(verifier.verify(with_parameter(name, "x"), issuer().now))) << name;
}

TEST(TokenVerifier, SaysWhereItDoesNotKnowTheKey) {
  const auto verifier = issuer().verifier();
  const auto kind_of = [&](const std::string& token) {
    const auto how = verifier.verify(token, issuer().now);
    return is_good(how) ? kind::invalid : std::get<token_refusal>(how).what;
  };
  EXPECT_EQ(kind_of(signing_key::p256("ec-2").token(issuer().claims())), kind::unknown_key);
  EXPECT_EQ(kind_of(signing_key::ed25519("ec-1").token(issuer().claims())), kind::unknown_key);
  // Nothing that such a token says is believed: not even that it has ended.
  EXPECT_EQ(
    kind_of(signing_key::p256("ec-2").token(issuer().claims({{"exp", 1}}))), kind::unknown_key);
  const token_verifier without{token_issuer::rules(), std::make_shared<const key_set>()};
  const auto early = without.verify(issuer().ec.token(issuer().claims()), issuer().now);
  EXPECT_EQ(std::get<token_refusal>(early).what, kind::unknown_key);
  // A secret is here, or does not come.
  const auto secret = without.verify(issuer().hmac.token(issuer().claims()), issuer().now);
  EXPECT_EQ(std::get<token_refusal>(secret).what, kind::invalid);
}

TEST(TokenVerifier, ChecksHs256WithTheSecretWhateverItsKid) {
  const auto verifier = issuer().verifier();
  for (const auto* kid : {"", "ec-1", "unknown"})
    EXPECT_TRUE(is_good(verifier.verify(confused("HS256", kid, issuer().hmac), issuer().now)))
      << kid;
}

TEST(TokenVerifier, TakesNoAlgorithmThatIsNotListed) {
  auto rules = token_issuer::rules();
  rules.algorithms = {"ES256"};
  const auto verifier = issuer().verifier(rules);
  EXPECT_TRUE(is_good(verifier.verify(issuer().ec.token(issuer().claims()), issuer().now)));
  for (const auto& key : {issuer().hmac, issuer().rsa, issuer().ed}) {
    const auto how = verifier.verify(key.token(issuer().claims()), issuer().now);
    EXPECT_EQ(std::get<token_refusal>(how).what, kind::invalid) << key.algorithm();
  }
}

TEST(TokenVerifier, JudgesByTheClockThatItIsGiven) {
  const auto verifier = issuer().verifier();
  const auto token = issuer().ec.token(issuer().claims());
  const auto end = issuer().now + 10min;
  EXPECT_TRUE(is_good(verifier.verify(token, end - 1ns)));
  EXPECT_FALSE(is_good(verifier.verify(token, end)));
  EXPECT_FALSE(is_good(verifier.verify(token, end + 24h)));
  // A clock that is set back over the end, and then behind the beginning.
  EXPECT_TRUE(is_good(verifier.verify(token, end - 1s)));
  EXPECT_TRUE(is_good(verifier.verify(token, issuer().now - 60s)));
  EXPECT_FALSE(is_good(verifier.verify(token, issuer().now - 61s)));
}

TEST(TokenVerifier, BoundsTheLengthOfATokenByItsSetting) {
  const auto token = issuer().ec.token(issuer().claims());
  auto rules = token_issuer::rules();
  rules.max_token_bytes = token.size();
  EXPECT_TRUE(is_good(issuer().verifier(rules).verify(token, issuer().now)));
  rules.max_token_bytes = token.size() - 1;
  EXPECT_FALSE(is_good(issuer().verifier(rules).verify(token, issuer().now)));
}

} // namespace
} // namespace herald
