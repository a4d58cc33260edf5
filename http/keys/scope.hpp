#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace herald {

/// What an API key may do.
enum class scope : std::uint8_t {
  events_publish,
  events_read,
  versions_write,
  versions_read,
  tasks_start,
  tasks_report,
  tasks_read,
  connections_read,
  connections_close,
  connections_topics,
  tickets_issue,
  tokens_revoke,
  metrics_read,
  /// The rest, and all.
  admin,
};

inline constexpr std::size_t scope_count = static_cast<std::size_t>(scope::admin) + 1;

/// "events:publish"
[[nodiscard]] std::string_view to_string(scope which);
[[nodiscard]] std::optional<scope> parse_scope(std::string_view text);
/// The names of all, in their order.
[[nodiscard]] std::vector<std::string> scope_names();

/// Some scopes. `admin` is all of them.
class scope_set {
public:
  void add(scope which) { bits_.set(static_cast<std::size_t>(which)); }

  [[nodiscard]] bool has(scope which) const {
    return bits_.test(static_cast<std::size_t>(which))
           || bits_.test(static_cast<std::size_t>(scope::admin));
  }
  [[nodiscard]] bool empty() const noexcept { return bits_.none(); }
  /// The names of those that were added, in their order.
  [[nodiscard]] std::vector<std::string> names() const;

  friend bool operator==(const scope_set&, const scope_set&) = default;

private:
  std::bitset<scope_count> bits_;
};

} // namespace herald
