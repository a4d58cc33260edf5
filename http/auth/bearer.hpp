#pragma once

#include <string_view>

namespace herald {

/// The token of an `Authorization` that is `Bearer TOKEN` (RFC 6750, the scheme in any case); empty
/// for another scheme, and where there is none.
[[nodiscard]] std::string_view bearer_token(std::string_view authorization) noexcept;

} // namespace herald
