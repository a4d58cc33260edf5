// What herald reads of tokens and their keys. The first byte says what the rest is: a token as it
// comes, a header and a payload that are signed by the secret, a JWKS document, base64url.

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <variant>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "http/tokens/base64url.hpp"
#include "http/tokens/token_verifier.hpp"
#include "messages/audience.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

namespace {

const std::string secret(32, 's');
const wall_time now{std::chrono::seconds{1'800'000'000}};

/// Of RFC 7515, A.2 and A.3, and RFC 8037, A.2.
constexpr std::string_view jwks =
  R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},)"
  R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

auth_options make_rules() {
  auth_options rules;
  rules.issuer = "https://issuer.example";
  rules.audience = {"herald"};
  rules.roles_claim = "realm_access.roles";
  rules.max_roles = 4;
  rules.max_topics = 4;
  return rules;
}

const auth_options& rules() {
  static const auto all = make_rules();
  return all;
}

const token_verifier& verifier() {
  static const token_verifier all{
    rules(), std::make_shared<const key_set>(
               std::get<token_key_ptr>(key_of_secret(secret)),
               read_jwks(jwks, allowed_algorithms{rules().algorithms}, 64)->keys)};
  return all;
}

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

std::string signed_token(std::string_view header, std::string_view payload) {
  auto token = base64url(header) + '.' + base64url(payload);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(
    EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
    reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac.data(), &size);
  return token + '.' + base64url({reinterpret_cast<const char*>(mac.data()), size});
}

void check(const stream_grant& grant) {
  require(!principal_violation(grant.subject), "a subject breaks its rule");
  require(grant.expires_at.has_value(), "a grant does not end");
  require(*grant.expires_at > now, "a grant has ended");
  require(*grant.expires_at - now <= rules().max_lifetime_s, "a grant ends too late");
  require(
    !grant.issued_at || *grant.issued_at <= now + rules().leeway_s, "a grant is of the future");
  require(grant.roles.size() <= 4 && grant.topics.size() <= 4, "a grant has too much");
  for (const auto& role : grant.roles)
    require(!principal_violation(role), "a role breaks its rule");
  for (const auto& topic : grant.topics)
    require(!pattern_violation(topic), "a pattern breaks its rule");
  require(grant.credential_id.size() <= max_principal_bytes, "a jti is too long");
}

void judge(std::string_view token, bool is_signed) {
  const auto how = verifier().verify(token, now);
  if (const auto* grant = std::get_if<stream_grant>(&how)) {
    require(is_signed, "a token is good that nobody has signed");
    check(*grant);
    return;
  }
  const auto& why = std::get<token_refusal>(how);
  require(!why.cause.empty(), "a refusal has no cause");
  require(
    why.key_id.empty() || why.what == token_refusal::kind::unknown_key,
    "a refusal for good names a key");
}

} // namespace

HERALD_FUZZ_TARGET(token, input) {
  input_reader in{input};
  switch (in.byte() % 4) {
  case 0:
    judge(in.rest(), false);
    break;
  case 1: {
    const auto header = in.until('\n');
    judge(signed_token(header, in.rest()), true);
    break;
  }
  case 2: {
    const auto read = read_jwks(in.rest(), allowed_algorithms{rules().algorithms}, 4);
    if (!read)
      return;
    require(!read->keys.empty() && read->keys.size() <= 4, "a document has no key, or too many");
    for (const auto& key : read->keys)
      require(key->algorithm() != token_algorithm::hs256, "a document has a secret");
    break;
  }
  default:
    if (const auto bytes = from_base64url(in.rest()))
      require(base64url(*bytes) == in.rest(), "two texts have the same bytes");
  }
}

} // namespace herald::fuzz
