#pragma once

#include <string_view>

#include "http/protocol/request_head.hpp"
#include "messages/connections.hpp"

namespace herald {

/// The headers of the question who a page is, to the application: those of its request, as they
/// came.
///
/// Left out is what is between the page and herald alone (hop-by-hop headers, RFC 9110 section
/// 7.6.1, and what is of a body or asks for another kind of answer), and what only herald may say:
/// `X-Original-URI`, the target of the request, and `X-Forwarded-For`, the address that it comes
/// from. Other headers that begin with `X-Forwarded-` are kept where `believed`, as of a proxy that
/// is trusted. Names are the same with `_` for `-`: to many applications they are.
[[nodiscard]] header_list
question_headers(const request_head& page, std::string_view address, bool believed);

} // namespace herald
