#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "http/auth/auth_options.hpp"
#include "http/auth/stream_grant.hpp"

namespace herald {

/// What the claims of a token (RFC 7519) let a stream do, or why nothing. `iss`, `aud`, `exp` and
/// `sub` must be there. `exp` counts to the second, as it is given; `nbf` and `iat` may be ahead by
/// the leeway. Claims that nobody asked for may be anything, but not twice.
[[nodiscard]] std::variant<stream_grant, std::string>
grant_of_claims(std::string_view payload, const auth_options& rules, wall_time now);

} // namespace herald
