#include "tests/support/token_maker.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

namespace herald::testing {

namespace {

void check(bool holds) {
  if (!holds)
    throw std::runtime_error{"OpenSSL has failed"};
}

const auto* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

auto* room_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string hmac(std::string_view secret, std::string_view text) {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  check(
    HMAC(
      EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(),
      room_of(mac), &size)
    != nullptr);
  mac.resize(size);
  return mac;
}

std::string signature(EVP_PKEY* key, const EVP_MD* hash, std::string_view text) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{
    EVP_MD_CTX_new(), [](EVP_MD_CTX* c) {
      EVP_MD_CTX_free(c);
    }};
  check(EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key) == 1);
  std::string result(1024, '\0');
  auto size = result.size();
  check(EVP_DigestSign(context.get(), room_of(result), &size, bytes_of(text), text.size()) == 1);
  result.resize(size);
  return result;
}

/// A signature of ECDSA as JWS has it: r and s, 32 bytes each.
std::string raw_of(const std::string& der) {
  const auto* at = bytes_of(der);
  const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> parsed{
    d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free};
  check(parsed != nullptr);
  std::string raw(64, '\0');
  check(BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), room_of(raw), 32) == 32);
  check(BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), room_of(raw) + 32, 32) == 32);
  return raw;
}

std::string number_of(EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* number = nullptr;
  check(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<std::size_t>(size == 0 ? BN_num_bytes(number) : size), '\0');
  BN_bn2binpad(number, room_of(bytes), static_cast<int>(bytes.size()));
  BN_free(number);
  return base64url(bytes);
}

} // namespace

std::string base64url(std::string_view bytes) {
  std::string text(4 * (bytes.size() / 3 + 1) + 1, '\0');
  const int size = EVP_EncodeBlock(room_of(text), bytes_of(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  text.resize(text.find_last_not_of('=') + 1);
  for (auto& c : text)
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

signing_key::signing_key(std::string algorithm, std::string id, EVP_PKEY* key, std::string secret)
  : algorithm_(std::move(algorithm)),
    id_(std::move(id)),
    key_(key, &EVP_PKEY_free),
    secret_(std::move(secret)) {}

signing_key signing_key::rsa(std::string id, unsigned bits) {
  return {"RS256", std::move(id), EVP_RSA_gen(bits), {}};
}

signing_key signing_key::p256(std::string id) {
  return {"ES256", std::move(id), EVP_EC_gen("P-256"), {}};
}

signing_key signing_key::ed25519(std::string id) {
  return {"EdDSA", std::move(id), EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), {}};
}

signing_key signing_key::secret(std::string bytes) {
  return {"HS256", {}, nullptr, std::move(bytes)};
}

std::string signing_key::sign(std::string_view text) const {
  if (key_ == nullptr)
    return hmac(secret_, text);
  if (algorithm_ == "EdDSA")
    return signature(key_.get(), nullptr, text);
  const auto made = signature(key_.get(), EVP_sha256(), text);
  return algorithm_ == "ES256" ? raw_of(made) : made;
}

nlohmann::json signing_key::jwk() const {
  nlohmann::json jwk;
  if (!id_.empty())
    jwk["kid"] = id_;
  if (algorithm_ == "RS256") {
    jwk["kty"] = "RSA";
    jwk["n"] = number_of(key_.get(), OSSL_PKEY_PARAM_RSA_N);
    jwk["e"] = number_of(key_.get(), OSSL_PKEY_PARAM_RSA_E);
  } else if (algorithm_ == "ES256") {
    jwk["kty"] = "EC";
    jwk["crv"] = "P-256";
    jwk["x"] = number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32);
    jwk["y"] = number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32);
  } else if (algorithm_ == "EdDSA") {
    std::string raw(32, '\0');
    auto size = raw.size();
    check(EVP_PKEY_get_raw_public_key(key_.get(), room_of(raw), &size) == 1);
    jwk["kty"] = "OKP";
    jwk["crv"] = "Ed25519";
    jwk["x"] = base64url(raw);
  } else {
    jwk["kty"] = "oct";
    jwk["k"] = base64url(secret_);
  }
  return jwk;
}

std::string signing_key::token_of(std::string_view header, std::string_view payload) const {
  auto text = base64url(header) + '.' + base64url(payload);
  const auto made = base64url(sign(text));
  return text + '.' + made;
}

std::string signing_key::token(const nlohmann::json& claims) const {
  nlohmann::json header{{"alg", algorithm_}, {"typ", "at+jwt"}};
  if (!id_.empty())
    header["kid"] = id_;
  return token_of(header.dump(), claims.dump());
}

std::string jwks_of(const std::vector<signing_key>& keys) {
  nlohmann::json document{{"keys", nlohmann::json::array()}};
  for (const auto& key : keys)
    document["keys"].push_back(key.jwk());
  return document.dump();
}

} // namespace herald::testing
