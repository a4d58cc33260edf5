#include "http/tokens/key_set.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "messages/errors.hpp"
#include "tests/support/jose_examples.hpp"
#include "tests/support/token_maker.hpp"

namespace herald {
namespace {

using testing::signing_key;

const allowed_algorithms all{{"HS256", "RS256", "ES256", "EdDSA"}};

jwks_keys good_keys(std::string_view document, std::size_t most = 64) {
  auto read = read_jwks(document, all, most);
  EXPECT_TRUE(read.engaged()) << (read ? "" : describe(read.error()).detail);
  return read ? std::move(*read) : jwks_keys{};
}

/// "FIELD DETAIL" of the failure; empty if there is none.
std::string failure_of(std::string_view document, std::size_t most = 64) {
  const auto read = read_jwks(document, all, most);
  if (read)
    return {};
  const auto why = describe(read.error());
  return why.field + ' ' + why.detail;
}

key_set set_of(const std::vector<signing_key>& keys, const std::string& secret = {}) {
  token_key_ptr shared;
  if (!secret.empty())
    shared = std::get<token_key_ptr>(key_of_secret(secret));
  return {
    shared, keys.empty() ? std::vector<token_key_ptr>{} : good_keys(testing::jwks_of(keys)).keys};
}

TEST(KeySet, ReadsTheExampleOfRfc7517) {
  const auto read = good_keys(testing::jose_examples::jwks_a1); // Appendix A.1
  ASSERT_EQ(read.keys.size(), 1u);
  EXPECT_EQ(read.keys[0]->id(), "2011-04-29");
  EXPECT_EQ(read.keys[0]->algorithm(), token_algorithm::rs256);
  EXPECT_EQ(read.left_out, std::vector<std::string>{"keys[0]: use must be sig"});
}

TEST(KeySet, LeavesOutKeysOfNoUseAndSaysWhy) {
  const auto good = signing_key::p256("a");
  auto document = nlohmann::json::parse(testing::jwks_of({good}));
  document["keys"].push_back({{"kty", "made-up"}});
  document["keys"].push_back({{"kid", "b"}});
  document["keys"].push_back(good.jwk());
  document["keys"].push_back(signing_key::secret(std::string(32, 's')).jwk());
  document["note"] = "members that nobody knows are ignored";
  const auto read = good_keys(document.dump());
  EXPECT_EQ(read.keys.size(), 1u);
  EXPECT_EQ(
    read.left_out, (std::vector<std::string>{
                     "keys[1]: kty and crv must be RSA, EC with P-256 or OKP with Ed25519",
                     "keys[2]: kty is required",
                     "keys[3]: an earlier key has the same kid, for the same algorithm",
                     "keys[4]: it is a private or a secret key, in a document for public ones"}));
}

TEST(KeySet, RefusesADocumentThatIsNone) {
  EXPECT_EQ(failure_of("{}"), "keys must be an array of keys");
  EXPECT_EQ(failure_of(R"({"keys":{}})"), "keys must be an array of keys");
  EXPECT_EQ(failure_of(R"({"keys":[]})"), "keys has no key of use");
  EXPECT_EQ(failure_of(R"({"keys":[7]})").substr(0, 5), "keys ");
  EXPECT_EQ(
    failure_of(R"({"keys":[{"kty":"oct","k":"AQAB"}]})"),
    "keys has no key of use: keys[0]: it is a private or a secret key, in a document for public "
    "ones");
  EXPECT_NE(failure_of(R"({"keys":[],"keys":[]})"), "");
  EXPECT_NE(failure_of(""), "");
  EXPECT_NE(failure_of("<html>"), "");
  const auto good = testing::jwks_of({signing_key::p256("a")});
  EXPECT_NE(failure_of(good.substr(0, good.size() - 1)), "");
  EXPECT_NE(failure_of(good + good), "");
}

TEST(KeySet, TakesNoMoreKeysThanAllowed) {
  const auto two = testing::jwks_of({signing_key::ed25519("a"), signing_key::ed25519("b")});
  EXPECT_EQ(failure_of(two, 2), "");
  EXPECT_EQ(failure_of(two, 1), "keys more than 1 objects in one body");
}

TEST(KeySet, FindsAKeyByAlgorithmAndId) {
  const auto keys = set_of(
    {signing_key::p256("a"), signing_key::p256("b"), signing_key::ed25519("a"),
     signing_key::rsa("c")});
  EXPECT_EQ(keys.published(), 4u);
  EXPECT_EQ(keys.find(token_algorithm::es256, "b")->id(), "b");
  EXPECT_EQ(keys.find(token_algorithm::eddsa, "a")->algorithm(), token_algorithm::eddsa);
  // The id of a key for another algorithm is none.
  EXPECT_EQ(keys.find(token_algorithm::es256, "c"), nullptr);
  EXPECT_EQ(keys.find(token_algorithm::rs256, "a"), nullptr);
  EXPECT_EQ(keys.find(token_algorithm::hs256, "a"), nullptr);
}

TEST(KeySet, NeedsNoIdWhereOneKeyFits) {
  const auto keys = set_of({signing_key::p256("a"), signing_key::p256("b"), signing_key::rsa("c")});
  EXPECT_EQ(keys.find(token_algorithm::rs256, "")->id(), "c");
  EXPECT_EQ(keys.find(token_algorithm::es256, ""), nullptr);
  const auto nameless = set_of({signing_key::p256("")});
  EXPECT_NE(nameless.find(token_algorithm::es256, ""), nullptr);
  EXPECT_NE(nameless.find(token_algorithm::es256, "a"), nullptr);
  EXPECT_EQ(key_set{}.find(token_algorithm::es256, ""), nullptr);
}

TEST(KeySet, HasItsSecretForEachTokenOfHs256) {
  const auto keys = set_of({signing_key::p256("a")}, std::string(32, 's'));
  ASSERT_NE(keys.find(token_algorithm::hs256, "any"), nullptr);
  EXPECT_EQ(keys.find(token_algorithm::hs256, ""), keys.find(token_algorithm::hs256, "a"));
  EXPECT_EQ(keys.find(token_algorithm::es256, "a")->algorithm(), token_algorithm::es256);
  EXPECT_TRUE(keys.has_secret());
}

TEST(KeySet, LeavesOneLineBreakOfAFileOut) {
  EXPECT_EQ(secret_in("secret"), "secret");
  EXPECT_EQ(secret_in("secret\n"), "secret");
  EXPECT_EQ(secret_in("secret\r\n"), "secret");
  EXPECT_EQ(secret_in("secret\n\n"), "secret\n");
  EXPECT_EQ(secret_in("secret\r"), "secret\r");
  EXPECT_EQ(secret_in("a\nb "), "a\nb ");
  EXPECT_EQ(secret_in("\n"), "");
  EXPECT_EQ(secret_in(""), "");
}

} // namespace
} // namespace herald
