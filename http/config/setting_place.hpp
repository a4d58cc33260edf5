#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/config/config.hpp"

namespace herald {

/// A value as it is written in a file; flags and variables are read into the same forms.
using setting_value =
  std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// The member of an options struct that a setting is kept in; its type is the type of the setting.
using setting_place = std::variant<
  bool*, std::uint16_t*, std::size_t*, double*, std::chrono::milliseconds*, std::string*,
  std::vector<std::string>*, log::level*, log::format*, journal_sync*, supervision_strategy*,
  restart_type*, when_full*, gateway_format*, frame_format*, task_audience*, auth_mode*>;

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

/// Of a type that needs no rule: its values are few. A double is from 0 to 1.
using setting_rule = std::variant<std::monostate, number_range, text_rule>;

/// "s", "ms", "bytes", or empty: the end of a setting's name.
[[nodiscard]] std::string_view unit_of(std::string_view key);

/// What a value must be: "a whole number from 0 to 65535".
[[nodiscard]] std::string requirement_of(const setting_place& place, const setting_rule& rule);

/// Puts a value into its place. False, and nothing is changed, if it is of another type or breaks
/// the rule. `key` says in which unit a time is given.
[[nodiscard]] bool put_value(
  const setting_place& place, std::string_view key, const setting_rule& rule,
  const setting_value& value);

/// The value at a place.
[[nodiscard]] setting_value value_at(const setting_place& place, std::string_view key);

/// The value that the text of a flag or a variable means at a place; the text itself where it means
/// none. Lists are comma-separated.
[[nodiscard]] setting_value value_meant_by(std::string_view text, const setting_place& place);

} // namespace herald
