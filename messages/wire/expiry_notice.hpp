#pragma once

#include <chrono>

#include "messages/events.hpp"

namespace herald {

/// What a stream is told when its right ends in so long, never less than 0: an event `expired`
/// without id.
[[nodiscard]] event expiry_notice(std::chrono::milliseconds left);

} // namespace herald
