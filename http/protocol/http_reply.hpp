#pragma once

#include <string>

#include "http/protocol/api_message.hpp"

namespace herald {

/// An answer that ends its connection, as bytes; without its body where it answers HEAD.
[[nodiscard]] std::string render_reply(const api_reply& reply, bool with_body = true);

} // namespace herald
