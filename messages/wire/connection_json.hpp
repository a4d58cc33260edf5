#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include "messages/connections.hpp"

namespace herald {

/// `{"connections":[{"request_id","token","url","transport","connected_at","topics","subject",
/// "roles","broadcast","bindings"?,"address","agent","behind":{"events","bytes",
/// "unacknowledged_bytes","replaying"}}],"total","next"}`, with null for `next` on the last page,
/// and for what is not known.
[[nodiscard]] std::string to_json(const connection_page& page);

/// `{"topics":[{"topic","streams"}],"total","next"}`, likewise.
[[nodiscard]] std::string to_json(const topic_page& page);

/// `{"topics":[..]}`: what is in force.
[[nodiscard]] std::string to_json(const topics_changed& changed);

/// Most patterns of each list of a change.
inline constexpr std::size_t max_changed_topics = 1000;

/// `{"add":[..],"remove":[..]}`, either of them optional or empty, but not both.
/// `ec::invalid_field` names the element.
[[nodiscard]] caf::expected<change_topics>
parse_topic_changes(request_id id, std::string_view body);

} // namespace herald
