#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "http/config/config_json.hpp"
#include "http/keys/api_key.hpp"

namespace herald {

/// Reads `api.keys`, which takes the place of what was read before. What is wrong with a digest is
/// said without it: it may be the key itself.
[[nodiscard]] complaint read_keys(std::vector<api_key>& keys, const nlohmann::ordered_json& value);

/// A key, or all of them, as a config file says them.
[[nodiscard]] nlohmann::ordered_json key_json(const api_key& key);
[[nodiscard]] nlohmann::ordered_json keys_json(const std::vector<api_key>& keys);

/// What is wrong with the text of a scope, or with an element of a list of a key; `key` names it.
[[nodiscard]] complaint add_scope(scope_set& scopes, std::string_view text, const std::string& key);
[[nodiscard]] complaint check_pattern(std::string_view text, const std::string& key);
[[nodiscard]] complaint check_name(std::string_view text, const std::string& key);

} // namespace herald
