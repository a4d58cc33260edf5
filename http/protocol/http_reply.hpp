#pragma once

#include <string>
#include <string_view>

#include "http/protocol/api_message.hpp"

namespace herald {

/// The phrase of a status (RFC 9110 section 15), e.g. "Not Found". A backend may answer any.
[[nodiscard]] std::string_view reason_phrase(int status);

/// An answer that ends its connection, as bytes; without its body where it answers HEAD.
[[nodiscard]] std::string render_reply(const api_reply& reply, bool with_body = true);

} // namespace herald
