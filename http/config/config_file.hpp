#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/config/config.hpp"

namespace herald {

/// Applies the text of a config file: JSON, nested by section, with // and /* */ comments. Says
/// what is wrong, in one line that names the key, if the file is not good; the config is then half
/// applied and of no use.
[[nodiscard]] std::optional<std::string> apply_config_file(config& c, std::string_view text);

/// Every setting as a config file that says the same, but for secrets: those are masked.
[[nodiscard]] std::string print_config(const config& c);

} // namespace herald
