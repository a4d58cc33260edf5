#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/config/config.hpp"
#include "http/config/setting_place.hpp"

namespace herald {

enum class secrecy : std::uint8_t {
  open,
  /// Never shown: not by `--print-config`, not in an error.
  secret,
  /// A URL whose query may hold a secret, and is not shown.
  secret_query,
};

/// When a setting that was changed is in force.
enum class applies : std::uint8_t {
  at_start,
  /// As soon as the settings are read again (SIGHUP).
  live,
};

/// One row of the table of settings.
struct setting {
  /// Section and name: "stream.port".
  std::string_view key;
  /// Where the setting lives; null for one that has no form that a flag or a variable could take.
  setting_place (*member)(config& c);
  setting_rule rule;
  /// One line for `--help` and the documentation.
  std::string_view help;
  secrecy hide = secrecy::open;
  applies when = applies::at_start;

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
  [[nodiscard]] bool file_only() const noexcept { return member == nullptr; }
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

/// The value of a setting as it is, nothing masked; an empty text for one that is `file_only`.
[[nodiscard]] setting_value value_of(const config& c, const setting& s);

/// The value as people may see it.
[[nodiscard]] setting_value shown_value(const config& c, const setting& s);

} // namespace herald
