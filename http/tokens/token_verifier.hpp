#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "http/auth/auth_options.hpp"
#include "http/auth/stream_grant.hpp"
#include "http/tokens/key_set.hpp"

namespace herald {

/// Why a token is not good. Clients are told one text, whatever the cause: who tries tokens out
/// learns nothing from it.
struct token_refusal {
  enum class kind : std::uint8_t {
    /// It is not good, now or ever.
    invalid,
    /// It may be: the key that it names is not known. Nothing in it was believed.
    unknown_key,
  };
  static constexpr std::string_view text = "the token is not valid";

  kind what = kind::invalid;
  /// For the log. Says nothing that is in the token.
  std::string cause;
  /// With `unknown_key`: the `kid` that the token names, as it came. Not for the log.
  std::string key_id = {};
};

using token_judgement = std::variant<stream_grant, token_refusal>;

/// Verifies JWTs (RFC 7519) with the keys of one time, as RFC 8725 and 9068 have it. Pure, and
/// never changes: any number of threads may use it at once.
class token_verifier {
public:
  token_verifier(auth_options rules, key_set_ptr keys);

  /// What the token lets a stream do, judged at `now`.
  [[nodiscard]] token_judgement verify(std::string_view token, wall_time now) const;

  [[nodiscard]] const key_set& keys() const noexcept { return *keys_; }

private:
  [[nodiscard]] bool is_typ(std::string_view typ) const;

  auth_options rules_;
  allowed_algorithms allowed_;
  key_set_ptr keys_;
};

} // namespace herald
