#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/keys/scope.hpp"
#include "messages/audience.hpp"

namespace herald {

/// How much a key may publish; 0: no limit.
struct publish_limits {
  std::size_t publishes_per_s = 0;
  std::size_t publish_bytes_per_s = 0;

  friend bool operator==(const publish_limits&, const publish_limits&) = default;
};

/// A key of the API as the settings say it (`api.keys`). The key itself is not known to herald,
/// only its digest.
///
/// Where one of the lists is not empty the key is *bound*: what it publishes, and the tasks that it
/// starts, must name whom they are for, and each that they name must be in the list of its kind.
struct api_key {
  /// Who has the key: in the log, and whose tasks and requests are whose. Keys of one name differ
  /// in their digest alone: one takes the place of the other.
  std::string name;
  /// Of the whole text of the key, in 64 hexadecimal digits.
  std::string sha256;
  scope_set scopes;
  /// Patterns (see messages/audience.hpp).
  std::vector<std::string> topics;
  /// Names, or beginnings of names that end with `*`.
  std::vector<std::string> subjects;
  std::vector<std::string> roles;
  std::vector<std::string> request_ids;
  /// Types of tasks that it may start; empty: all.
  std::vector<std::string> tasks;
  /// Nothing: what the settings say of all keys.
  std::optional<publish_limits> rate;

  [[nodiscard]] bool bound() const noexcept {
    return !(topics.empty() && subjects.empty() && roles.empty() && request_ids.empty());
  }

  friend bool operator==(const api_key&, const api_key&) = default;
};

/// Why a key may not publish to an audience (null: everyone), or nothing.
[[nodiscard]] std::optional<std::string>
publish_violation(const api_key& key, const audience_ptr& to);

/// Keys are `herald_` and 43 characters of base64url: 256 bits of chance. The beginning is there
/// for those who look for keys where none should be.
inline constexpr std::string_view api_key_prefix = "herald_";
inline constexpr std::size_t api_key_size = api_key_prefix.size() + 43;

/// Whether a text has the form of a key.
[[nodiscard]] bool is_api_key(std::string_view text) noexcept;

/// A key that nobody has had before.
[[nodiscard]] std::string new_api_key();

} // namespace herald
