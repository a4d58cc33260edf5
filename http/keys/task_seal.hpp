#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/auth/digests.hpp"
#include "messages/ids.hpp"

namespace herald {

inline constexpr std::string_view task_token_prefix = "herald_task_";

/// Gives tasks what can be checked later without keeping anything: the token by which whoever does
/// the work reports, and an id that says whose task it is. Both hold for as long as the secret
/// does. Never changes.
class task_seal {
public:
  explicit task_seal(const bits256& secret) : secret_(secret) {}

  /// Good for the reports on that task alone. After the end of the task there is nothing to report.
  [[nodiscard]] std::string token_of(const task_id& id) const;
  /// In a time that does not depend on the token.
  [[nodiscard]] bool is_token_of(std::string_view token, const task_id& id) const;

  /// The id of a task that a key starts, by the key's name: a UUID of version 8, half of it chance,
  /// half of it a sign of whose it is. The same `seed` gives the same id.
  [[nodiscard]] task_id
  id_for(std::string_view key_name, const std::optional<std::string>& seed) const;
  /// Whether `id_for` has made the id for that key.
  [[nodiscard]] bool is_of(const task_id& id, std::string_view key_name) const;

private:
  [[nodiscard]] std::string signed_id(std::string_view chance, std::string_view key_name) const;

  bits256 secret_;
};

/// The secret that is in a file, which is made where there is none, and which belongs to this user
/// and to nobody else: one of another user is refused, a mode that lets others in is mended. Throws
/// `std::runtime_error`, naming the file.
///
/// The file has 32 bytes, and nothing else.
[[nodiscard]] bits256 secret_in(const std::string& file);

} // namespace herald
