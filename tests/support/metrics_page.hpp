#pragma once

#include <string_view>

#include "actors/telemetry/metrics.hpp"
#include "tests/support/http_client.hpp"

namespace herald::testing {

/// What `/metrics` shows for a series, e.g. `name{label="value"}` with its labels in alphabetical
/// order; not a number if it is not there.
[[nodiscard]] double metric(http_client& api, std::string_view series);
[[nodiscard]] double metric(const metrics& numbers, std::string_view series);

} // namespace herald::testing
