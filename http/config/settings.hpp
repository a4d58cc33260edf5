#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/config/config.hpp"

namespace herald {

/// A value as it is written in a file; flags and variables are read into the same forms.
using setting_value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

/// Where a setting lives in the config; its type is the type of the setting.
using setting_member = std::variant<
  bool& (*)(config&), std::uint16_t& (*)(config&), std::size_t& (*)(config&),
  std::chrono::seconds& (*)(config&), std::chrono::milliseconds& (*)(config&),
  std::string& (*)(config&), std::vector<std::string>& (*)(config&), log::level& (*)(config&),
  log::format& (*)(config&), journal_sync& (*)(config&), supervision_strategy& (*)(config&),
  config::command_map& (*)(config&), child_options_map& (*)(config&)>;

/// Bounds of a number, both allowed.
struct number_range {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

/// A rule for a text, or for each text of a list.
struct text_rule {
  bool (*holds)(std::string_view text);
  /// What the text must be, e.g. "an IP address or a host name".
  std::string_view words;
};

using setting_rule = std::variant<std::monostate, number_range, text_rule>;

enum class secrecy : std::uint8_t {
  open,
  /// Never shown: not by `--print-config`, not in an error.
  secret,
  /// A URL whose query may hold a secret, and is not shown.
  secret_query,
};

/// One row of the table of settings.
struct setting {
  /// Section and name: "stream.port".
  std::string_view key;
  setting_member member;
  setting_rule rule;
  /// One line for `--help` and the documentation.
  std::string_view help;
  secrecy hide = secrecy::open;

  /// "stream"
  [[nodiscard]] std::string_view section() const;
  /// "--stream-port"
  [[nodiscard]] std::string flag() const;
  /// "HERALD_STREAM_PORT"
  [[nodiscard]] std::string variable() const;
  /// "s", "ms", "bytes", or empty.
  [[nodiscard]] std::string_view unit() const;
  /// What a value must be: "a whole number from 0 to 65535".
  [[nodiscard]] std::string requirement() const;
  [[nodiscard]] bool is_bool() const;
  /// Has no form that a flag or a variable could take.
  [[nodiscard]] bool file_only() const;
};

/// All settings, section by section, in the order in which they are documented.
[[nodiscard]] std::span<const setting> settings();

/// The setting of a key, or null.
[[nodiscard]] const setting* find_setting(std::string_view key);

/// Sets a value; says what it must be, and changes nothing, if it is not that.
[[nodiscard]] std::optional<std::string>
assign(config& c, const setting& s, const setting_value& value);

/// The same for the text of a flag or a variable. Lists are comma-separated.
[[nodiscard]] std::optional<std::string>
assign_text(config& c, const setting& s, std::string_view text);

/// The value of a setting that is not `file_only`, as it is; nothing is masked.
[[nodiscard]] setting_value value_of(const config& c, const setting& s);

/// The value as people may see it.
[[nodiscard]] setting_value shown_value(const config& c, const setting& s);

} // namespace herald
