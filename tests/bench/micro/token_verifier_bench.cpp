// A token of ES256: what OpenSSL alone takes for its signature, what the verifier takes for all of
// it, and what a token takes that is known again.

#include "http/tokens/token_verifier.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <variant>

#include <benchmark/benchmark.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "http/tokens/token_cache.hpp"

namespace herald::bench {
namespace {

const wall_time now{std::chrono::seconds{1'800'000'000}};

std::string base64url(std::string_view bytes) {
  std::string text(4 * (bytes.size() / 3 + 1) + 1, '\0');
  const int size = EVP_EncodeBlock(
    reinterpret_cast<unsigned char*>(text.data()),
    reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  text.resize(text.find_last_not_of('=') + 1);
  for (auto& c : text)
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string coordinate(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  std::string bytes(32, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), 32);
  BN_free(number);
  return base64url(bytes);
}

/// A key, and a token that it has signed.
struct sample {
  std::shared_ptr<EVP_PKEY> key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  std::string text;
  /// Of the text, as OpenSSL has it and as JWS has it.
  std::string der;
  std::string token;
  auth_options rules;

  sample() {
    rules.issuer = "https://issuer.example";
    rules.audience = {"herald"};
    text =
      base64url(R"({"alg":"ES256","typ":"at+jwt","kid":"key-1"})") + '.'
      + base64url(
        R"({"iss":"https://issuer.example","aud":"herald","sub":"0b9a5a6c-7a1b-4b7e-9f43-3f1f4f4d2d11","iat":1800000000,"exp":1800000600,"jti":"f2f5a3c1-61b5-4d0a-8d5e-7c7d9f6a1b2c","scope":"openid profile","roles":["staff","admin"],"topics":["orders/*","news"]})");
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{
      EVP_MD_CTX_new(), [](EVP_MD_CTX* c) {
        EVP_MD_CTX_free(c);
      }};
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
    der.resize(80);
    auto size = der.size();
    EVP_DigestSign(
      context.get(), reinterpret_cast<unsigned char*>(der.data()), &size,
      reinterpret_cast<const unsigned char*>(text.data()), text.size());
    der.resize(size);
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> parsed{
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), &ECDSA_SIG_free};
    std::string raw(64, '\0');
    auto* const room = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), room, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), room + 32, 32);
    token = text + '.' + base64url(raw);
  }

  [[nodiscard]] token_verifier verifier() const {
    const auto jwks = R"({"keys":[{"kty":"EC","crv":"P-256","kid":"key-1","x":")"
                      + coordinate(key.get(), OSSL_PKEY_PARAM_EC_PUB_X) + R"(","y":")"
                      + coordinate(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y) + R"("}]})";
    return {
      rules, std::make_shared<const key_set>(
               nullptr, read_jwks(jwks, allowed_algorithms{rules.algorithms}, 64)->keys)};
  }
};

void token_es256_openssl_alone(benchmark::State& state) {
  const sample one;
  const auto* const hash = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  for (auto _ : state) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, hash, nullptr, one.key.get());
    const int good = EVP_DigestVerify(
      context, reinterpret_cast<const unsigned char*>(one.der.data()), one.der.size(),
      reinterpret_cast<const unsigned char*>(one.text.data()), one.text.size());
    EVP_MD_CTX_free(context);
    if (good != 1) {
      state.SkipWithError("not verified");
      return;
    }
  }
}
BENCHMARK(token_es256_openssl_alone);

void token_es256_verified(benchmark::State& state) {
  const sample one;
  const auto verifier = one.verifier();
  for (auto _ : state)
    if (!std::holds_alternative<stream_grant>(verifier.verify(one.token, now))) {
      state.SkipWithError("not verified");
      return;
    }
}
BENCHMARK(token_es256_verified);

void token_known_again(benchmark::State& state) {
  const sample one;
  token_cache cache{1000, 1'000'000};
  cache.put(
    sha256_of(one.token),
    right_of(std::get<stream_grant>(one.verifier().verify(one.token, now)), {}), now);
  for (auto _ : state) {
    const auto* found = cache.find(sha256_of(one.token), now);
    if (found == nullptr) {
      state.SkipWithError("not known");
      return;
    }
    auto grant = *found;
    benchmark::DoNotOptimize(grant);
  }
}
BENCHMARK(token_known_again);

void token_refused_for_its_signature(benchmark::State& state) {
  const sample one;
  const auto verifier = one.verifier();
  auto bad = one.token;
  bad[bad.size() - 10] = bad[bad.size() - 10] == 'A' ? 'B' : 'A';
  for (auto _ : state) {
    auto how = verifier.verify(bad, now);
    benchmark::DoNotOptimize(how);
  }
}
BENCHMARK(token_refused_for_its_signature);

} // namespace
} // namespace herald::bench
