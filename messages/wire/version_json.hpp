#pragma once

#include <string>
#include <string_view>

#include "messages/versions.hpp"

namespace herald {

/// The data of event `version`: `{"version":"1.2.3","changelog":"..."}`, changelog only if there is
/// one.
[[nodiscard]] std::string version_data(const pending_version& version);

/// The data of event `version` where the current version cannot be had:
/// `{"version":"unknown","error":"..."}`.
[[nodiscard]] std::string unknown_version_data(std::string_view error);

} // namespace herald
