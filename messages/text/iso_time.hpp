#pragma once

#include <string>

#include "messages/text/time.hpp"

namespace herald {

/// ISO 8601 in UTC, with milliseconds: "2025-01-31T12:00:00.000Z".
[[nodiscard]] std::string iso_time(wall_time time);

} // namespace herald
