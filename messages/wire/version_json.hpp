#pragma once

#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include "messages/versions.hpp"
#include "messages/wire/event_json.hpp"

namespace herald {

/// `{"request_id","version","changelog"?}`. `ec::event_too_large` for one whose event would be.
[[nodiscard]] caf::expected<queue_version>
parse_version(std::string_view body, const event_limits& limits);

/// The data of event `version`: `{"version":"1.2.3","changelog":"..."}`, changelog only if there is
/// one.
[[nodiscard]] std::string version_data(const pending_version& version);

/// The data of event `version` where the current version cannot be had:
/// `{"version":"unknown","error":"..."}`.
[[nodiscard]] std::string unknown_version_data(std::string_view error);

} // namespace herald
