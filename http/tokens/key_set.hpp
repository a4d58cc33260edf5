#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <caf/expected.hpp>

#include "http/tokens/token_key.hpp"

namespace herald {

/// The keys of a JWKS document that are of use, and of the others why they are not.
struct jwks_keys {
  std::vector<token_key_ptr> keys;
  /// A line for each, e.g. "keys[1]: use must be sig". For the log.
  std::vector<std::string> left_out;
};

/// Reads a JWKS document (RFC 7517, 5) of at most `max_keys` keys. Keys that are of no use are left
/// out, as others may have use for them; a document without one that is, is a failure. Of two keys
/// with one `kid` for one algorithm the first counts.
[[nodiscard]] caf::expected<jwks_keys>
read_jwks(std::string_view document, const allowed_algorithms& allowed, std::size_t max_keys);

/// The bytes of a secret that a file has: all but one line break at its end.
[[nodiscard]] std::string_view secret_in(std::string_view file) noexcept;

/// The keys that tokens are verified with, at one time. Never changes.
class key_set {
public:
  key_set() = default;
  /// `secret` may be null.
  key_set(token_key_ptr secret, std::vector<token_key_ptr> published)
    : secret_(std::move(secret)),
      published_(std::move(published)) {}

  /// The key that a token with this `alg` and `kid` was signed with, if it is a good one; null
  /// where none is known. `kid` only picks: one that is empty, or a key without one, is enough
  /// where there is no other key for the algorithm. The secret needs none.
  [[nodiscard]] const token_key*
  find(token_algorithm algorithm, std::string_view id) const noexcept;

  /// Keys of a document; the secret does not count.
  [[nodiscard]] std::size_t published() const noexcept { return published_.size(); }
  [[nodiscard]] bool has_secret() const noexcept { return secret_ != nullptr; }

private:
  token_key_ptr secret_;
  std::vector<token_key_ptr> published_;
};

using key_set_ptr = std::shared_ptr<const key_set>;

} // namespace herald
