#pragma once

#include <string>

#include "messages/connections.hpp"

namespace herald {

/// The head of the response that is a stream, up to and with its empty line. `cors` are the headers
/// by which pages of other origins may read it.
[[nodiscard]] std::string render_stream_head(bool http_1_0, const header_list& cors);

} // namespace herald
