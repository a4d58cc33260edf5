#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "http/config/settings.hpp"

/// Helpers that the readers of a config file share.
namespace herald {

/// Says what is wrong with a file, in one line that names the key; nothing if it is good.
using complaint = std::optional<std::string>;

/// "outer.inner"
[[nodiscard]] std::string dotted(std::string_view outer, std::string_view inner);

/// A value as a complaint shows it: on one line, not for too long.
[[nodiscard]] std::string excerpt(const nlohmann::ordered_json& value);

/// "KEY must be RULE, not VALUE"
[[nodiscard]] std::string
must_be(const std::string& key, const std::string& rule, const nlohmann::ordered_json& value);

/// A JSON value in the form that settings take; nothing for forms that none takes.
[[nodiscard]] std::optional<setting_value> plain_value(const nlohmann::ordered_json& value);

/// Reads a value into its place; `key` ends with the unit of a time.
[[nodiscard]] complaint read_value(
  const setting_place& into, const std::string& key, const setting_rule& rule,
  const nlohmann::ordered_json& value);

} // namespace herald
