#pragma once

#include <string_view>

namespace herald {

/// Whether UTF-8 text has a character that nobody sees or that changes how its neighbours are
/// shown: control and format characters, separators of lines and paragraphs (the general categories
/// Cc, Cf, Zl and Zp of Unicode). Two texts that look the same could be two names by them.
[[nodiscard]] bool has_hidden_character(std::string_view text);

} // namespace herald
