#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "http/tokens/token_algorithm.hpp"
#include "messages/json/json_reader.hpp"

namespace herald {

/// Shortest secret of HS256, in bytes: as long as its hash (RFC 7518, 3.2).
inline constexpr std::size_t min_secret_bytes = 32;
/// Shortest modulus of RSA (RFC 7518, 3.3); and the longest that is taken, since the time for a
/// signature grows with its square.
inline constexpr std::size_t min_rsa_bits = 2048;
inline constexpr std::size_t max_rsa_bits = 8192;

/// A token of three parts (RFC 7515, 7.1), as it came.
struct compact_token {
  std::string_view whole;
  std::string_view header;
  std::string_view payload;
  std::string_view signature;

  /// What is signed.
  [[nodiscard]] std::string_view signed_text() const noexcept {
    return whole.substr(0, header.size() + 1 + payload.size());
  }
};

/// What tokens are verified with: a key that is good for one algorithm. Never changes, so that any
/// number of threads may use it at once.
class token_key {
public:
  virtual ~token_key() = default;
  token_key(const token_key&) = delete;
  token_key& operator=(const token_key&) = delete;

  [[nodiscard]] token_algorithm algorithm() const noexcept { return algorithm_; }
  /// `kid`; empty: it has none.
  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  /// Whether the token was signed with this key. The token's `alg` is the key's: whoever has looked
  /// the key up has seen to it.
  [[nodiscard]] virtual bool has_signed(const compact_token& token) const = 0;

protected:
  token_key(token_algorithm algorithm, std::string id)
    : algorithm_(algorithm),
      id_(std::move(id)) {}

private:
  token_algorithm algorithm_;
  std::string id_;
};

using token_key_ptr = std::shared_ptr<const token_key>;

/// A key, or why there is none.
using key_or_reason = std::variant<token_key_ptr, std::string>;

/// The key of HS256 that these bytes are.
[[nodiscard]] key_or_reason key_of_secret(std::string_view secret);

/// The public key that a JWK (RFC 7517) has, for the one algorithm among `allowed` that it is made
/// for. Keys for anything but verification, private ones and weak ones are none.
[[nodiscard]] key_or_reason key_of_jwk(json_reader& jwk, const allowed_algorithms& allowed);

} // namespace herald
