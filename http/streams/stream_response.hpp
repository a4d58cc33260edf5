#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/protocol/api_message.hpp"
#include "messages/connections.hpp"

namespace herald {

/// The head of the response that is a stream, up to and with its empty line. `cors` are the headers
/// by which pages of other origins may read it.
[[nodiscard]] std::string render_stream_head(bool http_1_0, const header_list& cors);

/// A whole answer that is a stream without events: when to come back, why as a comment, the end.
/// EventSource comes back; any status but 200 it takes for "never".
[[nodiscard]] api_reply
stream_that_ends(std::chrono::milliseconds come_back_after, std::string_view why);

} // namespace herald
