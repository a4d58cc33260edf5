#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace herald {

/// 256 bits: a digest of SHA-256, or a secret.
using bits256 = std::array<std::uint8_t, 32>;

[[nodiscard]] bits256 sha256_of(std::string_view text);
/// HMAC-SHA-256, with a key of any length.
[[nodiscard]] bits256 hmac_of(std::string_view key, std::string_view text);
[[nodiscard]] std::string_view bytes_of(const bits256& bits) noexcept;
/// From the kernel.
[[nodiscard]] bits256 random_secret();

/// Whether they are the same, in a time that does not depend on them.
[[nodiscard]] bool same_bits(const bits256& a, const bits256& b) noexcept;
/// Whether two texts are the same, in a time that depends on `given` alone: neither the place of
/// the first difference nor the length of the secret shows.
[[nodiscard]] bool same_secret(std::string_view secret, std::string_view given) noexcept;

/// Without padding (RFC 4648 section 5).
[[nodiscard]] std::string base64url(const bits256& bits);
[[nodiscard]] bool is_base64url(char c) noexcept;

/// In 64 digits, in lower case.
[[nodiscard]] std::string hex_of(const bits256& bits);
/// Nothing unless it is 64 digits, in either case.
[[nodiscard]] std::optional<bits256> bits_of_hex(std::string_view digits);

} // namespace herald
