#include "http/clients/webhook_signature.hpp"

#include <algorithm>

#include <openssl/evp.h>

#include "http/auth/digests.hpp"

namespace herald {

namespace {

constexpr std::string_view prefix = "whsec_";
constexpr std::size_t shortest_key = 24;
constexpr std::size_t longest_key = 64;

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const auto size = EVP_EncodeBlock(
    reinterpret_cast<unsigned char*>(text.data()), octets_of(bytes),
    static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

} // namespace

std::optional<std::string> webhook_key(std::string_view secret) {
  if (!secret.starts_with(prefix))
    return std::nullopt;
  secret.remove_prefix(prefix.size());
  if (secret.size() > (longest_key + 2) / 3 * 4 || secret.size() % 4 != 0)
    return std::nullopt;
  std::string key(secret.size() / 4 * 3, '\0');
  const auto size = EVP_DecodeBlock(
    reinterpret_cast<unsigned char*>(key.data()), octets_of(secret),
    static_cast<int>(secret.size()));
  if (size < 0)
    return std::nullopt;
  const auto padding = static_cast<std::size_t>(std::count(secret.begin(), secret.end(), '='));
  key.resize(key.size() - std::min(padding, key.size()));
  // It takes blanks for nothing, and bits that are too many.
  if (key.size() < shortest_key || key.size() > longest_key || base64(key) != secret)
    return std::nullopt;
  return key;
}

std::string webhook_signatures(
  const std::vector<std::string>& keys, std::string_view id, std::int64_t at,
  std::string_view body) {
  auto what = std::string{id}.append(1, '.').append(std::to_string(at)).append(1, '.');
  what.append(body);
  std::string all;
  for (const auto& key : keys)
    all.append(all.empty() ? "v1," : " v1,").append(base64(bytes_of(hmac_of(key, what))));
  return all;
}

} // namespace herald
