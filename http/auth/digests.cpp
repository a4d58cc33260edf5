#include "http/auth/digests.hpp"

#include <array>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "actors/system/secret_source.hpp"
#include "http/protocol/hex.hpp"

namespace herald {

namespace {

/// Looked up once: OpenSSL 3 takes longer to find it than to use it.
const EVP_MD* sha256() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (found == nullptr)
    throw std::runtime_error("SHA-256 cannot be had");
  return found;
}

constexpr std::string_view alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Tokens have hundreds of characters, each of which is looked at: to search takes longer than to
/// look up.
constexpr auto in_alphabet = [] {
  std::array<bool, 256> is{};
  for (const char c : alphabet)
    is.at(static_cast<unsigned char>(c)) = true;
  return is;
}();

} // namespace

bits256 sha256_of(std::string_view text) {
  bits256 digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 cannot be had");
  return digest;
}

bits256 hmac_of(std::string_view key, std::string_view text) {
  bits256 mac{};
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (
    HMAC(
      sha256(), key.data(), static_cast<int>(key.size()), bytes, text.size(), mac.data(), nullptr)
    == nullptr)
    throw std::runtime_error("HMAC-SHA-256 cannot be had");
  return mac;
}

std::string_view bytes_of(const bits256& bits) noexcept {
  return {reinterpret_cast<const char*>(bits.data()), bits.size()};
}

bits256 random_secret() {
  secret_source random;
  bits256 secret{};
  for (std::size_t i = 0; i < secret.size(); i += sizeof(std::uint64_t)) {
    auto number = random();
    for (std::size_t j = 0; j < sizeof number; ++j, number >>= 8U)
      secret.at(i + j) = static_cast<std::uint8_t>(number & 0xffU);
  }
  return secret;
}

bool same_bits(const bits256& a, const bits256& b) noexcept {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool same_secret(std::string_view secret, std::string_view given) noexcept {
  if (secret.empty())
    return given.empty();
  unsigned difference = secret.size() == given.size() ? 0 : 1;
  std::size_t place = 0;
  for (const char c : given) {
    difference |= static_cast<unsigned char>(c) ^ static_cast<unsigned char>(secret[place]);
    place = place + 1 == secret.size() ? 0 : place + 1;
  }
  return difference == 0;
}

std::string base64url(const bits256& bits) {
  std::string text;
  unsigned held = 0;
  unsigned count = 0;
  for (const auto byte : bits) {
    held = held << 8U | byte;
    for (count += 8; count >= 6; count -= 6)
      text += alphabet[held >> (count - 6) & 0x3fU];
    held &= (1U << count) - 1;
  }
  if (count > 0)
    text += alphabet[held << (6 - count) & 0x3fU];
  return text;
}

bool is_base64url(char c) noexcept {
  return in_alphabet[static_cast<unsigned char>(c)];
}

std::string hex_of(const bits256& bits) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bits) {
    text += digits[byte >> 4U];
    text += digits[byte & 0xfU];
  }
  return text;
}

std::optional<bits256> bits_of_hex(std::string_view digits) {
  bits256 bits{};
  if (digits.size() != 2 * bits.size())
    return std::nullopt;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const auto high = hex_value(digits[2 * i]);
    const auto low = hex_value(digits[2 * i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    bits.at(i) = static_cast<std::uint8_t>(high * 16 + low);
  }
  return bits;
}

} // namespace herald
