#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace herald {

/// How a token is signed (`alg` of RFC 7518 and 8037). There is no other, and no `none`.
enum class token_algorithm : std::uint8_t { hs256, rs256, es256, eddsa };

inline constexpr std::array<std::pair<std::string_view, token_algorithm>, 4> token_algorithms{
  {{"HS256", token_algorithm::hs256},
   {"RS256", token_algorithm::rs256},
   {"ES256", token_algorithm::es256},
   {"EdDSA", token_algorithm::eddsa}}};

/// The algorithm of a name, which is compared byte by byte.
[[nodiscard]] constexpr std::optional<token_algorithm>
token_algorithm_of(std::string_view name) noexcept {
  for (const auto& [known, algorithm] : token_algorithms)
    if (known == name)
      return algorithm;
  return std::nullopt;
}

/// Algorithms that may be used, as `auth.algorithms` names them.
class allowed_algorithms {
public:
  explicit allowed_algorithms(const std::vector<std::string>& names) {
    for (const auto& name : names)
      if (const auto algorithm = token_algorithm_of(name))
        allowed_ |= bit(*algorithm);
  }

  [[nodiscard]] bool has(token_algorithm algorithm) const noexcept {
    return (allowed_ & bit(algorithm)) != 0;
  }

private:
  static constexpr unsigned bit(token_algorithm algorithm) noexcept {
    return 1U << static_cast<unsigned>(algorithm);
  }

  unsigned allowed_ = 0;
};

} // namespace herald
