#pragma once

#include <string_view>

namespace herald::bench {

/// Writes to standard error what went wrong with a connection. The first few are worth reading, the
/// rest are only counted elsewhere.
void complain(std::string_view what);

} // namespace herald::bench
