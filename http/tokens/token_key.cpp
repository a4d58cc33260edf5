#include "http/tokens/token_key.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <openssl/evp.h>

#include "http/tokens/base64url.hpp"
#include "messages/errors.hpp"
#include "messages/json/json_writer.hpp"

namespace herald {

namespace {

struct free_jwk {
  void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
};
struct free_jws {
  void operator()(cjose_jws_t* token) const { cjose_jws_release(token); }
};
struct free_evp_key {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct free_digest {
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};

using jwk_ptr = std::unique_ptr<cjose_jwk_t, free_jwk>;
using evp_key_ptr = std::unique_ptr<EVP_PKEY, free_evp_key>;

const auto* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// Characters of the 64 bytes that a signature of ES256 has (RFC 7518, 3.4).
constexpr std::size_t es256_signature_size = 86;

/// A key of HS256, RS256 or ES256.
class jose_key final : public token_key {
public:
  jose_key(token_algorithm algorithm, std::string id, jwk_ptr key)
    : token_key(algorithm, std::move(id)),
      key_(std::move(key)) {}

  [[nodiscard]] bool has_signed(const compact_token& token) const override {
    // cjose halves what is there, and would leave a byte over.
    if (algorithm() == token_algorithm::es256 && token.signature.size() != es256_signature_size)
      return false;
    const std::unique_ptr<cjose_jws_t, free_jws> parsed{
      cjose_jws_import(token.whole.data(), token.whole.size(), nullptr)};
    return parsed && cjose_jws_verify(parsed.get(), key_.get(), nullptr);
  }

private:
  jwk_ptr key_;
};

/// A key of EdDSA, which cjose 0.6 does not know.
class edwards_key final : public token_key {
public:
  edwards_key(std::string id, evp_key_ptr key)
    : token_key(token_algorithm::eddsa, std::move(id)),
      key_(std::move(key)) {}

  [[nodiscard]] bool has_signed(const compact_token& token) const override {
    const auto signature = from_base64url(token.signature);
    const std::unique_ptr<EVP_MD_CTX, free_digest> digest{EVP_MD_CTX_new()};
    const auto text = token.signed_text();
    return signature && digest
           && EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, key_.get()) == 1
           && EVP_DigestVerify(
                digest.get(), bytes_of(*signature), signature->size(), bytes_of(text), text.size())
                == 1;
  }

private:
  evp_key_ptr key_;
};

/// Members that only a private or a secret key has.
constexpr std::array<std::string_view, 8> private_members = {"d",  "p",  "q",   "dp",
                                                             "dq", "qi", "oth", "k"};

/// What a JWK says beside its numbers.
struct jwk_facts {
  std::string type;
  std::string id;
  std::optional<std::string> use;
  std::optional<std::vector<std::string>> operations;
  std::optional<std::string> algorithm;
  std::optional<std::string> curve;
  bool is_private = false;
};

jwk_facts facts_of(json_reader& jwk) {
  jwk_facts facts;
  facts.type = jwk.text("kty");
  facts.id = jwk.optional_text("kid").value_or(std::string{});
  facts.use = jwk.optional_text("use");
  facts.operations = jwk.optional_texts("key_ops", 16, true);
  facts.algorithm = jwk.optional_text("alg");
  facts.curve = jwk.optional_text("crv");
  for (const auto name : private_members)
    facts.is_private = jwk.optional_json(name).has_value() || facts.is_private;
  jwk.refuse_duplicates();
  return facts;
}

/// The only algorithm of ours that a key of this type and curve is for.
std::optional<token_algorithm> algorithm_for(const jwk_facts& facts) {
  if (facts.type == "RSA")
    return token_algorithm::rs256;
  if (facts.type == "EC" && facts.curve == "P-256")
    return token_algorithm::es256;
  if (facts.type == "OKP" && facts.curve == "Ed25519")
    return token_algorithm::eddsa;
  return std::nullopt;
}

/// Why a key of these facts is not used, or nothing.
std::optional<std::string>
violation_of(const jwk_facts& facts, std::optional<token_algorithm> algorithm) {
  if (facts.is_private || facts.type == "oct")
    return "it is a private or a secret key, in a document for public ones";
  if (!algorithm)
    return "kty and crv must be RSA, EC with P-256 or OKP with Ed25519";
  if (facts.use && *facts.use != "sig")
    return "use must be sig";
  if (
    facts.operations
    && std::find(facts.operations->begin(), facts.operations->end(), "verify")
         == facts.operations->end())
    return "key_ops must have verify";
  if (facts.algorithm && token_algorithm_of(*facts.algorithm) != algorithm)
    return "alg must be one that kty and crv are for: RS256, ES256 or EdDSA";
  return std::nullopt;
}

std::size_t bits_of(std::string_view number) {
  number.remove_prefix(std::min(number.find_first_not_of('\0'), number.size()));
  return number.empty()
           ? 0
           : 8 * (number.size() - 1) + std::bit_width(static_cast<unsigned char>(number.front()));
}

/// "kty is required", without the place of the key among others.
std::string in_words(const caf::error& error) {
  const auto why = describe(error);
  return why.field.substr(why.field.find('.') + 1) + " " + why.detail;
}

key_or_reason imported(token_algorithm algorithm, std::string id, const std::string& jwk) {
  jwk_ptr key{cjose_jwk_import(jwk.data(), jwk.size(), nullptr)};
  if (!key)
    return "its numbers are no key";
  return std::make_shared<const jose_key>(algorithm, std::move(id), std::move(key));
}

/// Text as it stands in the JWK, once it is known what it means.
struct number_text {
  std::string text;
  std::optional<std::string> bytes;
};

number_text number_of(json_reader& jwk, std::string_view name) {
  auto text = jwk.text(name);
  auto bytes = from_base64url(text);
  return {std::move(text), std::move(bytes)};
}

key_or_reason rsa_key(json_reader& jwk, std::string id) {
  const auto n = number_of(jwk, "n");
  const auto e = number_of(jwk, "e");
  if (!n.bytes || !e.bytes)
    return "n and e must be base64url";
  const auto bits = bits_of(*n.bytes);
  if (bits < min_rsa_bits || bits > max_rsa_bits)
    return "n must have " + std::to_string(min_rsa_bits) + " to " + std::to_string(max_rsa_bits)
           + " bits";
  // 1 signs nothing, and an even one has no inverse; OpenSSL takes both. Longer ones are not used.
  const auto exponent_bits = bits_of(*e.bytes);
  if (
    exponent_bits < 2 || exponent_bits > 64
    || (static_cast<unsigned char>(e.bytes->back()) & 1U) == 0)
    return "e must be odd, and more than 1";
  return imported(
    token_algorithm::rs256, std::move(id),
    object_writer{}.text("kty", "RSA").text("n", n.text).text("e", e.text).finish());
}

key_or_reason curve_key(json_reader& jwk, std::string id) {
  const auto x = number_of(jwk, "x");
  const auto y = number_of(jwk, "y");
  if (!x.bytes || !y.bytes || x.bytes->size() != 32 || y.bytes->size() != 32)
    return "x and y must be 32 bytes each, as base64url";
  return imported(
    token_algorithm::es256, std::move(id),
    object_writer{}
      .text("kty", "EC")
      .text("crv", "P-256")
      .text("x", x.text)
      .text("y", y.text)
      .finish());
}

key_or_reason edwards_key_of(json_reader& jwk, std::string id) {
  const auto x = number_of(jwk, "x");
  if (!x.bytes || x.bytes->size() != 32)
    return "x must be 32 bytes, as base64url";
  evp_key_ptr key{
    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*x.bytes), x.bytes->size())};
  if (!key)
    return "x is no key";
  return std::make_shared<const edwards_key>(std::move(id), std::move(key));
}

} // namespace

key_or_reason key_of_secret(std::string_view secret) {
  if (secret.size() < min_secret_bytes)
    return "must have at least " + std::to_string(min_secret_bytes) + " bytes";
  jwk_ptr key{cjose_jwk_create_oct_spec(bytes_of(secret), secret.size(), nullptr)};
  if (!key)
    throw std::bad_alloc{};
  return std::make_shared<const jose_key>(token_algorithm::hs256, std::string{}, std::move(key));
}

key_or_reason key_of_jwk(json_reader& jwk, const allowed_algorithms& allowed) {
  auto facts = facts_of(jwk);
  if (auto error = jwk.finish_leniently())
    return in_words(error);
  const auto algorithm = algorithm_for(facts);
  if (auto violation = violation_of(facts, algorithm))
    return *violation;
  if (!allowed.has(*algorithm))
    return "its algorithm is not in auth.algorithms";
  auto key = *algorithm == token_algorithm::rs256   ? rsa_key(jwk, std::move(facts.id))
             : *algorithm == token_algorithm::es256 ? curve_key(jwk, std::move(facts.id))
                                                    : edwards_key_of(jwk, std::move(facts.id));
  if (auto error = jwk.finish_leniently())
    return in_words(error);
  return key;
}

} // namespace herald
