#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

using EVP_PKEY = struct evp_pkey_st;

namespace herald::testing {

/// Base64url without padding.
[[nodiscard]] std::string base64url(std::string_view bytes);

/// A key pair, or a secret, that tokens are signed with: by OpenSSL alone, so that the product is
/// not tested against itself.
class signing_key {
public:
  static signing_key rsa(std::string id, unsigned bits = 2048);
  static signing_key p256(std::string id);
  static signing_key ed25519(std::string id);
  static signing_key secret(std::string bytes);

  /// What signs a text as `alg` of this key has it.
  [[nodiscard]] std::string sign(std::string_view text) const;
  /// The `alg` that tokens of this key have.
  [[nodiscard]] const std::string& algorithm() const noexcept { return algorithm_; }
  /// The public key as a JWK with `kid`, and without `alg`.
  [[nodiscard]] nlohmann::json jwk() const;

  /// A token with this header and payload, as they are.
  [[nodiscard]] std::string token_of(std::string_view header, std::string_view payload) const;
  /// A token with these claims; its header has `alg`, `typ` and, where there is one, `kid`.
  [[nodiscard]] std::string token(const nlohmann::json& claims) const;

private:
  signing_key(std::string algorithm, std::string id, EVP_PKEY* key, std::string secret);

  std::string algorithm_;
  std::string id_;
  std::shared_ptr<EVP_PKEY> key_;
  std::string secret_;
};

/// A JWKS document with the public keys.
[[nodiscard]] std::string jwks_of(const std::vector<signing_key>& keys);

} // namespace herald::testing
