#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace herald {

/// The bytes of a base64url text as RFC 7515 has it: without padding and line breaks, and the one
/// text that there is for these bytes. Nothing for any other.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

} // namespace herald
