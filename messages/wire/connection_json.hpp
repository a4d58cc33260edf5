#pragma once

#include <string>

#include "messages/connections.hpp"

namespace herald {

/// `{"connections":[{"request_id","token","url","transport","connected_at"}],"total","next"}`, with
/// null for `next` on the last page.
[[nodiscard]] std::string to_json(const connection_page& page);

} // namespace herald
