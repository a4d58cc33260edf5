#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "http/auth/auth_options.hpp"
#include "http/tokens/key_set.hpp"
#include "http/tokens/token_verifier.hpp"
#include "tests/support/token_maker.hpp"

namespace herald::testing {

/// Who tests have their tokens from: keys of all algorithms, and rules by which its tokens are
/// good.
struct token_issuer {
  std::string secret = std::string(32, 's');
  signing_key hmac = signing_key::secret(secret);
  signing_key rsa = signing_key::rsa("rsa-1");
  signing_key ec = signing_key::p256("ec-1");
  signing_key ed = signing_key::ed25519("ed-1");
  wall_time now{std::chrono::seconds{1'800'000'000}};

  /// Made once: keys of RSA take their time.
  static const token_issuer& shared() {
    static const token_issuer one;
    return one;
  }

  [[nodiscard]] static auth_options rules() {
    auth_options rules;
    rules.issuer = "https://issuer.example";
    rules.audience = {"herald", "https://herald.example"};
    return rules;
  }

  /// Seconds since the epoch.
  [[nodiscard]] std::int64_t at(std::chrono::seconds from_now) const {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch() + from_now)
      .count();
  }

  /// Claims of a good token for ten minutes; those of `more` replace or follow them.
  [[nodiscard]] nlohmann::json claims(const nlohmann::json& more = {}) const {
    using namespace std::chrono_literals;
    nlohmann::json all{{"iss", rules().issuer}, {"aud", "herald"},  {"sub", "ann"},
                       {"exp", at(10min)},      {"iat", at(0s)},    {"nbf", at(0s)},
                       {"jti", "token-1"},      {"scope", "openid"}};
    if (!more.is_null())
      all.update(more);
    return all;
  }

  [[nodiscard]] nlohmann::json claims_without(const char* name) const {
    auto all = claims();
    all.erase(name);
    return all;
  }

  [[nodiscard]] key_set_ptr keys() const {
    return std::make_shared<const key_set>(
      std::get<token_key_ptr>(key_of_secret(secret)),
      read_jwks(jwks_of({rsa, ec, ed}), allowed_algorithms{rules().algorithms}, 64)->keys);
  }

  [[nodiscard]] token_verifier verifier(auth_options by = rules()) const {
    return {std::move(by), keys()};
  }
};

} // namespace herald::testing
