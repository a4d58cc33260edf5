#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace herald {

/// Signatures as Standard Webhooks has them: HMAC-SHA256 of id, time and body.

/// The rule of a secret, in words.
inline constexpr const char* webhook_secret_rule = "whsec_ and the base64 of 24 to 64 bytes";

/// The key that a secret stands for; nothing for a text that is none.
[[nodiscard]] std::optional<std::string> webhook_key(std::string_view secret);

/// The value of `webhook-signature`: one signature for each key, in their order, so that receivers
/// that know one of them are content. `at` is the value of `webhook-timestamp`, in seconds since
/// 1970. There must be no point in the id.
[[nodiscard]] std::string webhook_signatures(
  const std::vector<std::string>& keys, std::string_view id, std::int64_t at,
  std::string_view body);

} // namespace herald
