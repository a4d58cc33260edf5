#pragma once

#include <string>

namespace herald {

/// The text of `--help`: every flag, by section, with unit and default.
[[nodiscard]] std::string usage();

/// The table of all settings as the documentation has it, in Markdown.
[[nodiscard]] std::string settings_markdown();

} // namespace herald
